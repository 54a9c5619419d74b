"""People who do their work by what stands on the cards, and click again when nothing seems to happen."""

from __future__ import annotations

import json
import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sandbox.company import GROUP, MERCHANT, Company
from sandbox.feishu.card_client import interactives
from sandbox.feishu.errors import CannotClick
from sandbox.feishu.state import Message
from sandbox.server import Sandbox
from tests.faults.stage import NotReached

REPLY = "您好，给您添麻烦了，马上为您处理。"
_HANDLER = re.compile(r"处理人</font><br>([^\s\"<&]+)")


@dataclass(slots=True)
class Ticket:
    """A complaint and what the staff wants to do about it. `mark` is a word of the customer's text, found on cards."""

    mark: str
    complaint_id: str
    amount_fen: int
    ends_by_itself: bool  # with the money: the customer asked for a refund
    paid_at: float = 0.0  # when the card was first seen to say so
    asked: dict[str, float] = field(default_factory=dict)  # what was clicked, and when


@dataclass(frozen=True, slots=True)
class Shown:
    """A card as people see it."""

    message_id: str
    title: str
    tags: tuple[str, ...]
    text: str
    buttons: frozenset[str]  # that can be pressed


def shown(message: Message) -> Shown:
    header = message.content.get("header", {})
    labels: set[str] = set()
    for one in interactives(message.content):
        if one.tag == "button" and not one.disabled:
            labels.add(str((one.node.get("text") or {}).get("content", "")))
    return Shown(
        message.message_id,
        str(header.get("title", {}).get("content", "")),
        tuple(str(tag["text"]["content"]) for tag in header.get("text_tag_list", ())),
        json.dumps(message.content, ensure_ascii=False),
        frozenset(labels),
    )


class Staff:
    """Two operators and an approver. `patience`: seconds before somebody clicks the same thing again."""

    def __init__(
        self, sandbox: Sandbox, company: Company, chance: random.Random, patience: tuple[float, float] = (0.5, 2.0)
    ) -> None:
        self._sandbox, self._company, self._chance, self._patience = sandbox, company, chance, patience
        self._by_name = {
            company.operator.name: company.operator.open_id,
            company.colleague.name: company.colleague.open_id,
        }
        self.clicks = 0
        self.tickets: list[Ticket] = []

    def complaint(self) -> Ticket:
        """A customer complains, half of the time asking for a refund, about an order of their own."""
        number = len(self.tickets) + 1
        amount = self._chance.randrange(500, 90000)
        asks = self._chance.random() < 0.5
        pay, mark = self._sandbox.wechatpay, f"件{number}号"
        payment = pay.add_payment(MERCHANT, amount, f"商品{number}")
        filed = pay.customer_complains(
            MERCHANT, payment, f"东西坏了{mark}，<at id=all></at>请处理",
            problem_type="REFUND" if asks else "OTHERS", images=self._chance.choice((0, 0, 1)),
        )  # fmt: skip
        ticket = Ticket(mark, filed.id, amount, asks)
        self.tickets.append(ticket)
        return ticket

    def work_off(self, seconds: float, nudge: Callable[[], object]) -> None:
        """Go on until every card says that it is finished. `nudge` is called when nothing has changed for a while."""
        until = time.monotonic() + seconds
        version, changed = -1, time.monotonic()
        while True:
            left = [ticket for ticket in self.tickets if not self._step(ticket)]
            if not left:
                return
            now = time.monotonic()
            if now > until:
                raise NotReached(f"not finished: {[(t.mark, [c.tags for c in self.cards(t)], t.asked) for t in left]}")
            if self._sandbox.world.version != version:
                version, changed = self._sandbox.world.version, now
            elif now - changed > 1.5:
                nudge()
                changed = now
            time.sleep(0.05)

    def bring(self, ticket: Ticket, to: Callable[[], object], seconds: float = 60) -> None:
        """Do what one complaint asks for until it has come to that."""
        until = time.monotonic() + seconds
        while not to():
            if time.monotonic() > until:
                raise NotReached(
                    f"{ticket.mark} stands at {[card.tags for card in self.cards(ticket)]}: {ticket.asked}"
                )
            self._step(ticket)
            time.sleep(0.05)

    def approvals(self, ticket: Ticket) -> list[Shown]:
        """The cards before the approver."""
        return self.cards(ticket, self._sandbox.feishu.p2p(self._company.approver.open_id).chat_id, "退款审批")

    def cards(self, ticket: Ticket, chat_id: str = GROUP, title: str = "") -> list[Shown]:
        feishu = self._sandbox.feishu
        with self._sandbox.world.lock:
            messages = [m for m in feishu.store.in_chat(chat_id) if m.is_card and not m.recalled]
            found = [shown(message) for message in messages]
        return [card for card in found if ticket.mark in card.text and card.title.startswith(title)]

    # ---------------------------------------------------------------------------------------------------------------

    def _step(self, ticket: Ticket) -> bool:
        """Do what the card asks for next; whether there is nothing left to do."""
        cards = self.cards(ticket, title="投诉 C")
        if not cards:
            return False
        card = cards[0]
        if "已完结" in card.tags:
            return True
        if "认领" in card.buttons:
            either = self._chance.choice(tuple(self._by_name.values()))
            self._press(ticket, either, card, "认领")
            return False
        handler = _HANDLER.search(card.text)
        who = self._by_name.get(handler[1], "") if handler is not None else ""
        if not who:
            return False
        if "待回复" in card.tags:
            if "发送回复" in card.buttons:
                self._press(ticket, who, card, "发送回复", {"reply": REPLY + ticket.mark})
            elif "正在把回复发送给客户" not in card.text:
                self._press(ticket, who, card, "回复客户")
        elif "发送回复" in card.buttons:  # opened once more while the answer was on its way
            self._press(ticket, who, card, "返回")
        elif "退款 R" not in card.text:
            if "提交申请" in card.buttons:
                self._press(ticket, who, card, "提交申请", {"reason": "商品损坏"})
            else:
                self._press(ticket, who, card, "申请退款")
        elif "提交申请" in card.buttons:  # opened once more before the card said that the refund was asked for
            self._press(ticket, who, card, "返回")
        elif "· 已退款 ·" in card.text:
            # Where the customer asked for the refund the platform finishes by itself, if it was told that it is coming.
            ticket.paid_at = ticket.paid_at or time.monotonic()
            if not ticket.ends_by_itself or time.monotonic() - ticket.paid_at > 6:
                self._press(ticket, who, card, "完结投诉")
        else:
            self._approve(ticket)
        return False

    def _approve(self, ticket: Ticket) -> None:
        approver = self._company.approver.open_id
        for card in self.approvals(ticket):
            if "同意" in card.buttons:
                self._press(ticket, approver, card, "同意")

    def _press(self, ticket: Ticket, who: str, card: Shown, label: str, form: Mapping[str, str] | None = None) -> None:
        now = time.monotonic()
        if label not in card.buttons or now - ticket.asked.get(label, 0.0) < self._chance.uniform(*self._patience):
            return
        ticket.asked[label] = now
        if self._chance.random() < 0.15:  # a nervous finger
            threading.Thread(target=self._click, args=(who, card.message_id, label, form), daemon=True).start()
        self._click(who, card.message_id, label, form)

    def _click(self, who: str, message_id: str, label: str, form: Mapping[str, str] | None) -> None:
        self.clicks += 1
        try:
            self._sandbox.feishu.click_button(who, message_id, label, form)
        except CannotClick:
            return  # the card changed under the finger
