"""Complaint tickets: read, answered, finished."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Protocol, runtime_checkable

from adapters.values import ComplaintDetails, HistoryEntry, Objection, Picture


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
