"""Who acts in a story: people at their Feishu client, and customers at WeChat Pay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.feishu.snapshot import readable
from sandbox.feishu.state import Message
from sandbox.wechatpay.complaints import Complaint
from tests.old_clicks import action_of, call_back
from tests.story.cards import Card
from tests.story.places import Place
from tests.story.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from tests.story.world import World


@dataclass(frozen=True)
class Toast:
    """What the client shows after a click."""

    kind: str
    words: str

    @property
    def refused(self) -> bool:
        return self.kind in ("error", "warning")


@dataclass(frozen=True)
class Said:
    """A message somebody sent; the bot's answers refer to it."""

    world: World
    place: Place
    message: Message

    def answer(self, *words: str, patience: float = PATIENCE) -> str:
        """What the bot answered in words."""

        def look() -> str | None:
            for each in self.place.answers_to(self.message):
                if each.msg_type == "text" and all(word in readable(each) for word in words):
                    return readable(each)
            return None

        return eventually(look, lambda: f"no answer with {words} to {readable(self.message)!r}: {self.place}", patience)

    def card(self, patience: float = PATIENCE) -> Card:
        """The card the bot answered with."""

        def look() -> Card | None:
            cards = [each for each in self.place.answers_to(self.message) if each.is_card]
            return self.place.card(cards[0]) if cards else None

        return eventually(look, lambda: f"no card in answer to {readable(self.message)!r}: {self.place}", patience)

    def ignored(self) -> bool:
        """Whether nothing was answered once everything is worked off."""
        self.world.quiet()
        return not self.place.answers_to(self.message)


class Person:
    """Somebody with a Feishu client."""

    def __init__(self, world: World, open_id: str, name: str) -> None:
        self.world, self.open_id, self.name = world, open_id, name
        self.private = Place(world.feishu, f"{name}, private", lambda: world.feishu.p2p(open_id).chat_id)

    def clicks(self, card: Card, label: str, form: Mapping[str, Any] | None = None, /, **fields: Any) -> Toast:
        """Press an enabled button as soon as it stands on the card; `fields` fill in the form it belongs to."""
        card.expect_button(label)
        result = self.world.feishu.click_button(self.open_id, card.message_id, label, {**(form or {}), **fields})
        return self._toast(result.ok, result.message, result.toast)

    def chooses(self, card: Card, option: str) -> Toast:
        """Choose from a menu outside forms."""
        eventually(lambda: option in card.latest().options, f"{option!r} is not offered on {card.latest().plain}")
        result = self.world.feishu.choose(self.open_id, card.message_id, option)
        return self._toast(result.ok, result.message, result.toast)

    def clicks_as_it_was(self, card: Card, label: str, form: Mapping[str, Any] | None = None) -> Toast:
        """Press a button of the card as this person's client still shows it, whatever stands there by now."""
        return self.sends_click(card, action_of(card.content, label, form))

    def sends_click(self, card: Card, action: Mapping[str, Any]) -> Toast:
        """Send a card callback as it is, without what the client would check."""
        answer = call_back(self.world.feishu, self.open_id, card.message, action)
        return self._toast(answer.code == 0, answer.message, _json(answer.body).get("toast"))

    def says(self, text: str, *, mention: bool = True, **more: Any) -> Said:
        """Write in the group, to the bot unless `mention` is off."""
        place = self.world.group
        message = self.world.feishu.user_sends(self.open_id, place.chat_id, text, mention_bot=mention, **more)
        return Said(self.world, place, message)

    def whispers(self, text: str, **more: Any) -> Said:
        """Write to the bot in private."""
        message = self.world.feishu.user_sends(self.open_id, self.private.chat_id, text, **more)
        return Said(self.world, self.private, message)

    def _toast(self, ok: bool, message: str, toast: Mapping[str, Any] | None) -> Toast:
        assert ok, f"the click failed in the client: {message}"
        assert toast is not None, "a click was answered without a word"
        return Toast(str(toast["type"]), str(toast["content"]))


@dataclass(frozen=True)
class Case:
    """A complaint in a story."""

    world: World
    ticket: Complaint

    @property
    def order(self) -> str:
        assert self.ticket.payment is not None
        return self.ticket.payment.out_trade_no

    def card(self) -> Card:
        """The card that stands in the group since it arrived."""

        def look() -> Card | None:
            cards = self.world.group.cards("投诉 C", self.order)
            return cards[0] if cards else None

        return eventually(look, lambda: f"no card of the order {self.order} in {self.world.group}")

    @property
    def number(self) -> str:
        return self.card().title.split()[1]

    @property
    def replies(self) -> Sequence[str]:
        """What the customer got to read."""
        return self.world.books().replies_by_complaint[self.ticket.id]

    @property
    def refunded_fen(self) -> int:
        return self.world.books().refunded_by_complaint[self.ticket.id]

    @property
    def refund_calls(self) -> list[int]:
        """For each refund of the order: how often it was asked for with its number."""
        assert self.ticket.payment is not None
        order = self.ticket.payment.transaction_id
        return [line.create_calls for line in self.world.books().refunds if line.transaction_id == order]


class Customer:
    """Customers of the shop. Each complaint is about an order of its own."""

    def __init__(self, world: World) -> None:
        self.world = world

    def complains(
        self, text: str = "杯子漏水，要求退款", *, amount: int = 6800, wait: bool = True, **more: Any
    ) -> Case:
        pay = self.world.wechatpay
        payment = pay.add_payment(self.world.merchant_id, amount, "保温杯")
        case = Case(self.world, pay.customer_complains(self.world.merchant_id, payment, text, **more))
        if wait:
            case.card()
        return case

    def writes(self, case: Case, text: str) -> None:
        self.world.wechatpay.customer_writes(case.ticket.id, text)

    def complains_again(self, case: Case, text: str = "还是没有解决") -> None:
        self.world.wechatpay.customer_continues(case.ticket.id, text)


def _json(body: bytes) -> dict[str, Any]:
    import json

    found = json.loads(body)
    assert isinstance(found, dict)
    return found
