"""What handlers may ask of a channel: one small port per business area.

Every method may raise `adapters.errors.ChannelError`. Methods that change something outside may raise
`OutcomeUnknown`; the caller then queries before any repeat. Any other error of such a method means: no effect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Protocol, runtime_checkable

from adapters.values import (
    Acknowledgement,
    ComplaintDetails,
    ComplaintNotice,
    Finding,
    HistoryEntry,
    Notification,
    Objection,
    Picture,
    RefundDetails,
)


@runtime_checkable
class ComplaintsPort(Protocol):
    """Complaint tickets of one account."""

    def listed(self, first: date, last: date) -> Iterator[ComplaintDetails]:
        """Complaints created from `first` to `last`, each once (both included, the platform's calendar days).

        Any span; a long one costs more calls. Older complaints that changed are not in it: ask `detail` for them.
        """
        ...

    def detail(self, complaint_id: str) -> ComplaintDetails:
        """The complaint as it stands now. Raises NotFound."""
        ...

    def history(self, complaint_id: str) -> Sequence[HistoryEntry]:
        """The whole negotiation, oldest first."""
        ...

    def check_reply(self, text: str) -> Objection | None:
        """Why the platform would refuse this reply; None if it would not. Calls nothing."""
        ...

    def check_reason(self, text: str) -> Objection | None:
        """The same for the reason of `reject_refund`."""
        ...

    def reply(
        self, complaint_id: str, merchant_id: str, text: str, *, immediate: bool = False, idempotency_key: str
    ) -> None:
        """Answer the customer; the first answer moves the complaint from PENDING to PROCESSING.

        `immediate` is the complaint's `immediate_service`. `idempotency_key` belongs to this answer and is stored
        before the call. Only where `immediate` is true does the platform drop a repeat of the same key by itself;
        else read `history` before a repeat.
        """
        ...

    def complete(self, complaint_id: str, merchant_id: str) -> None:
        """Finish the complaint. Cannot be undone; the customer may complain again."""
        ...

    def approve_refund(self, complaint_id: str, merchant_id: str, launch_in_days: int = 0, remark: str = "") -> None:
        """Tell the customer that the refund is coming. Moves no money."""
        ...

    def reject_refund(self, complaint_id: str, merchant_id: str, reason: str, remark: str = "") -> None:
        """Refuse the refund asked for; the platform finishes the complaint."""
        ...

    def picture(self, url: str) -> Picture:
        """Fetch a picture of a complaint or of its history, with the account's own credentials."""
        ...


@runtime_checkable
class RefundsPort(Protocol):
    """Money back to a customer. `out_refund_no` is the idempotency key: the same number never pays twice."""

    def check_reason(self, text: str) -> Objection | None:
        """Why the platform would refuse this reason of a refund (the customer reads it); None if it would not."""
        ...

    def create(
        self,
        *,
        out_refund_no: str,
        transaction_id: str,
        amount_fen: int,
        total_fen: int,
        reason: str,
        merchant_id: str = "",
    ) -> RefundDetails:
        """Pay `amount_fen` of a payment of `total_fen` back. Accepted is not paid: the state tells.

        `merchant_id` is the one that was paid, when it is not the account's own. Never repeated by itself: after
        OutcomeUnknown ask `query`, then repeat with the same number and the same amounts.
        """
        ...

    def query(self, out_refund_no: str, merchant_id: str = "") -> RefundDetails:
        """Raises NotFound when the platform has no refund of that number."""
        ...


@runtime_checkable
class InboundPort(Protocol):
    """Pushes of the channel to `/notify/<account>`."""

    max_bytes: int

    def open(self, headers: Mapping[str, str], body: bytes) -> Notification:
        """Prove who sent it and when, then decrypt. Header names are looked up without regard to case.

        Raises Untrusted (wrong or missing signature, stale, undecryptable), BadRequest (too large, not the documented
        shape) or Misconfigured (our own keys are broken). Never calls out.
        """
        ...

    def read(self, event: str, resource: Mapping[str, object]) -> ComplaintNotice | RefundDetails | None:
        """What a notification tells, from its stored `event` and `resource`; None for events we have no word for."""
        ...

    def accepted(self) -> Acknowledgement:
        """The push is stored; the platform may forget it."""
        ...

    def refused(self) -> Acknowledgement:
        """Leaks nothing about why."""
        ...


@runtime_checkable
class CallbacksPort(Protocol):
    """The address to which the platform pushes complaints."""

    def address(self) -> str | None:
        """None when none is set."""
        ...

    def set_address(self, url: str) -> None:
        """Set or replace it; setting the same again changes nothing."""
        ...


@runtime_checkable
class UpkeepPort(Protocol):
    """What an account needs from time to time, so that pushes can be proven without calling out."""

    def refresh(self) -> None:
        """Renew keys that are due. Costs nothing when none is; call it at start and then every hour."""
        ...


@runtime_checkable
class DiagnosisPort(Protocol):
    """What `mpops doctor` asks of an account."""

    def examine(self, notify_url: str | None = None) -> Sequence[Finding]:
        """Check credentials, keys, clock and callback address against the platform; changes nothing.

        Never raises for what it finds: a failure is a finding with its remedy.
        """
        ...
