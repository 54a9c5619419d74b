"""Actions that need approval. Read by the workflow of approvals and by its card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.card_context import Look
from bot.cards.values import Block, Tag
from bot.contributions.base import Contribution
from bot.texts import Text
from bot.unit import Unit
from storage.areas.approvals import ApprovalRequest


@dataclass(frozen=True, slots=True)
class Shown:
    """What is to be decided on. `outcome` tells what became of it after the decision: urgent where it failed."""

    title: Text
    blocks: Sequence[Block]
    outcome: Tag | None = None


class Outcome(StrEnum):
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Approvable(Contribution):
    """`show` tells an approver what is asked for; `decided` carries the decision out, in the same unit of work."""

    action: str
    show: Callable[[Look, ApprovalRequest], Shown]
    decided: Callable[[Unit, ApprovalRequest, Outcome], None]

    def identifiers(self) -> tuple[str, ...]:
        return (self.action,)
