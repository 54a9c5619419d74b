"""The vocabulary of what channels can do, and which method of which port does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from adapters.ports.complaints import ComplaintsPort
from adapters.ports.pushes import CallbacksPort, InboundPort
from adapters.ports.refunds import RefundsPort


class Support(StrEnum):
    """How something can be done on a channel."""

    API = "api"  # we call the platform
    TOOL = "tool"  # we run the platform's command line tool
    CONSOLE = "console"  # only a person can, in the platform's console: a manual task
    NONE = "none"  # the platform has no such thing
    UNKNOWN = "unknown"  # nobody has looked, or no source says


class Capability(StrEnum):
    """One thing that an operator may want of a channel."""

    COMPLAINT_LIST = "complaint.list"
    COMPLAINT_DETAIL = "complaint.detail"
    COMPLAINT_HISTORY = "complaint.history"
    COMPLAINT_REPLY = "complaint.reply"
    COMPLAINT_REPLY_PICTURE = "complaint.reply_picture"
    COMPLAINT_COMPLETE = "complaint.complete"
    COMPLAINT_REFUND_DECISION = "complaint.refund_decision"
    COMPLAINT_PICTURE = "complaint.picture"
    COMPLAINT_NOTIFY = "complaint.notify"
    COMPLAINT_NOTIFY_ADDRESS = "complaint.notify_address"
    REFUND_CREATE = "refund.create"
    REFUND_QUERY = "refund.query"
    REFUND_NOTIFY = "refund.notify"
    REFUND_ABNORMAL = "refund.abnormal"
    VIOLATION_NOTIFY = "violation.notify"


@dataclass(frozen=True, slots=True)
class Ability:
    """How a channel supports a capability.

    `console_path` stands on the card of the manual task; `needs` names permissions or products that the account must
    have; `note` says what an operator should know.
    """

    support: Support
    console_path: str = ""
    needs: tuple[str, ...] = ()
    note: str = ""

    @property
    def ours(self) -> bool:
        """We can do it ourselves, without a person at the console."""
        return self.support in (Support.API, Support.TOOL)


Table = Mapping[Capability, Ability]

METHODS: Mapping[Capability, tuple[type, str]] = {
    Capability.COMPLAINT_LIST: (ComplaintsPort, "listed"),
    Capability.COMPLAINT_DETAIL: (ComplaintsPort, "detail"),
    Capability.COMPLAINT_HISTORY: (ComplaintsPort, "history"),
    Capability.COMPLAINT_REPLY: (ComplaintsPort, "reply"),
    Capability.COMPLAINT_COMPLETE: (ComplaintsPort, "complete"),
    Capability.COMPLAINT_REFUND_DECISION: (ComplaintsPort, "approve_refund"),
    Capability.COMPLAINT_PICTURE: (ComplaintsPort, "picture"),
    Capability.COMPLAINT_NOTIFY: (InboundPort, "open"),
    Capability.COMPLAINT_NOTIFY_ADDRESS: (CallbacksPort, "set_address"),
    Capability.REFUND_CREATE: (RefundsPort, "create"),
    Capability.REFUND_QUERY: (RefundsPort, "query"),
    Capability.REFUND_NOTIFY: (InboundPort, "open"),
}
"""Where a capability lives in code; one that is missing here cannot be API or TOOL on any channel."""
