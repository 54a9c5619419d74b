"""What money can be given back for. Read by refunds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from adapters.channel import Channel
from bot.contributions.base import Contribution
from bot.contributions.routing import Clicked
from bot.unit import Unit, Units


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment of a customer, as the item that a refund is asked for knows it. Amounts are fen."""

    kind: str  # of the item, and of its card
    item_id: int
    version: int  # of the item's row, for buttons
    number: str  # what people call the item
    is_open: bool
    program_key: str
    chat_id: str  # its operations group; "" where there is none
    account_key: str
    merchant_id: str
    transaction_id: str
    out_trade_no: str
    amount_fen: int
    wanted_fen: int | None  # what the customer asks for, where the platform tells
    fully_refunded: bool  # so says the platform
    words: str  # the customer's: hostile
    said_at: datetime
    phone: str  # masked; "" where none is known

    @property
    def subject(self) -> str:
        return f"{self.kind}:{self.item_id}"


@dataclass(frozen=True, slots=True)
class RefundSubject(Contribution):
    """A sort of item that refunds are asked for on its card, which goes back from a form by the click `<kind>.back`.

    `find`: its payment, with `lock` as the first lock that is taken on the item; None: there is no such item.
    `handle`: the payment of the clicked item if this person handles it; raises Refused.
    `announce`: tell the customer at the platform that the money is coming. Moves none; raises ChannelError.
    """

    kind: str
    find: Callable[[Session, int, bool], Payment | None]
    handle: Callable[[Unit, Clicked], Payment]
    announce: Callable[[Units, Channel, int], None]

    def identifiers(self) -> tuple[str, ...]:
        return (self.kind,)
