"""Whoever acts in the play: one person at a time, each time a step that is written down once the bot is at rest."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.company import GROUP, MERCHANT
from sandbox.faults import CallFault, Fault, PushFault
from sandbox.feishu import card_client
from sandbox.feishu.errors import CannotClick
from sandbox.feishu.state import Message
from sandbox.wechatpay.complaints import Complaint
from tests.golden.notebook import Notebook
from tests.golden.outline import outline, words
from tests.golden.stage import ABROAD, ABROAD_MERCHANT, SLOT, Stage, Tree
from tests.old_clicks import action_of, call_back

CHEN, LI, WANG, ZHAO, SUN = (
    "ou_operator_chen", "ou_operator_li", "ou_approver_wang", "ou_admin_zhao", "ou_newcomer_sun",
)  # fmt: skip
READER = "ou_reader_he"
_MERCHANTS = {GROUP: MERCHANT, ABROAD: ABROAD_MERCHANT}


class Player(Stage):
    """`played` says what was tried and not refused, by its kind: commands, clicks, events, pushes."""

    def __init__(self, tree: Tree, folder: Path) -> None:
        super().__init__(tree, folder)
        self.notes = Notebook(self.sandbox)
        self.played: dict[str, set[str]] = defaultdict(set)
        self.feishu, self.wechatpay = self.sandbox.feishu, self.sandbox.wechatpay
        self.world = self.sandbox.world
        self.beats = False  # whether what is shown depends on the bot's list of failing calls
        self._called = -1

    def act(self, title: str, do: Callable[[], object], *, by: timedelta = SLOT) -> None:
        """A step: time goes on, something is done, and all that comes of both is written down. What `do` says, too."""
        self.step(by)
        self._play(title, do)

    def later(self, **span: float) -> None:
        """Time goes by, and nobody does anything."""
        title = f"{' '.join(f'{value} {unit}' for unit, value in span.items())} later"
        by = timedelta(**span)
        # Past the full hour: what the bot does again after one would else come a moment before or after.
        self.act(title, lambda: None, by=by + timedelta(minutes=by // timedelta(hours=1) > 0))

    def at(self, moment: datetime) -> None:
        """That moment comes, and nobody does anything."""
        self.until(moment)
        self._play(f"at {moment:%m-%d %H:%M} UTC", lambda: None)

    def _play(self, title: str, do: Callable[[], object]) -> None:
        self.rest()
        self._beat()
        told = do()
        self.rest()
        self._beat()
        self.end_step()
        self.rest()
        self.notes.write(title, told.splitlines() if isinstance(told, str) else [])

    def _beat(self) -> None:
        """Wait until the bot has written down which platforms do not answer, which it does every few seconds."""
        calls = self.world.calls.count("wechatpay")
        if self.beats and calls != self._called:
            self._called = calls
            query = "SELECT max(seen_at) FROM process WHERE name = 'main-0'"
            before = self.rows(query)
            self.wait(lambda: self.rows(query) != before, "a sign of life")

    def name(self, open_id: str) -> str:
        return self.feishu.store.user(open_id).name

    # --- words -----------------------------------------------------------------------------------------------------

    def says(self, who: str, text: str, chat: str = GROUP, **more: Any) -> Message:
        """In a group, to the bot unless `mention_bot` is off."""
        sent: list[Message] = []
        self.act(
            f"{self.name(who)} says {text[:60]!r} in {self.feishu.store.chat(chat).name}",
            lambda: sent.append(self.feishu.user_sends(who, chat, text, **more)),
        )
        self._word(text)
        return sent[0]

    def whispers(self, who: str, text: str, **more: Any) -> Message:
        """In private."""
        sent: list[Message] = []
        self.act(
            f"{self.name(who)} whispers {text[:60]!r}",
            lambda: sent.append(self.feishu.user_sends(who, self.feishu.p2p(who).chat_id, text, **more)),
        )
        self._word(text)
        return sent[0]

    def _word(self, text: str) -> None:
        typed = text.split()
        if typed:
            self.played["words"].add(typed[0].lstrip("/／、").casefold())

    # --- cards -----------------------------------------------------------------------------------------------------

    def card(self, place: str, title: str, containing: str = "", back: int = 1) -> Message:
        """The newest card there with that in its title; `place` is a chat, or a person for their private chat."""
        chat = place if place.startswith("oc_") else self.feishu.p2p(place).chat_id
        with self.world.lock:
            found = [
                one
                for one in self.feishu.store.in_chat(chat)
                if one.is_card and not one.recalled and title in words(one.content["header"]["title"])
                and containing in "\n".join(outline(one.content))
            ]  # fmt: skip
        if len(found) < back:
            raise AssertionError(f"no card {title!r} with {containing!r} in {place}: {self.notes.steps[-1]}")
        return found[-back]

    def clicks(self, who: str, card: Message, label: str, form: Mapping[str, Any] | None = None, **fields: Any) -> None:
        """Press a button as it stands on the card now."""
        given = {**(form or {}), **fields}

        def click() -> str:
            button = card_client.find_button(card.content, label)
            toast = self.feishu.click_button(who, card.message_id, label, given)
            return self._toast(button.callback(), toast.toast, toast.message)

        told = f" with {json.dumps(given, ensure_ascii=False)}" if given else ""
        self.act(f"{self.name(who)} clicks {label} on {_title(card)}{told}", click)

    def chooses(self, who: str, card: Message, option: str) -> None:
        """Choose from a menu outside forms."""

        def choose() -> str:
            one = card_client.find(card.content, None, None, None, option)
            toast = self.feishu.choose(who, card.message_id, option)
            return self._toast(one.callback(), toast.toast, toast.message)

        self.act(f"{self.name(who)} chooses {option} on {_title(card)}", choose)

    def cannot_click(self, who: str, card: Message, label: str, **form: Any) -> None:
        """The client itself does not let it happen."""
        try:
            self.feishu.click_button(who, card.message_id, label, form)
        except CannotClick as error:
            self.notes.write(f"{self.name(who)} cannot click {label} on {_title(card)}: {error}")
            return
        raise AssertionError(f"{label} could be clicked")

    def as_it_was(
        self, who: str, card: Message, content: Mapping[str, Any], label: str, form: Mapping[str, Any] | None = None
    ) -> None:
        """Press a button of a card as this person's client still shows it, whatever stands there by now."""
        self.sends(who, card, action_of(content, label, form), f"{label} as it stood on {_title(card)}")

    def sends(self, who: str, card: Message, action: Mapping[str, Any], told: str) -> None:
        """A card callback as it is, without what the client would check."""

        def send() -> str:
            answer = call_back(self.feishu, who, card, action)
            body = json.loads(answer.body or b"{}")
            return self._toast(action.get("value"), body.get("toast"), answer.message)

        self.act(f"{self.name(who)} sends {told}", send)

    def _toast(self, value: object, toast: Mapping[str, Any] | None, message: str) -> str:
        if toast is None:
            return f"no toast: {message}"
        if toast.get("type") not in ("error", "warning") and isinstance(value, Mapping):
            self.played["clicks"].add(str(value.get("a")))
        return f"toast {toast.get('type')}: {words(toast)}"

    # --- customers -------------------------------------------------------------------------------------------------

    def complains(self, text: str, amount: int = 6800, chat: str = GROUP, **more: Any) -> Complaint:
        made: list[Complaint] = []
        merchant = _MERCHANTS[chat]

        def complain() -> None:
            payment = self.wechatpay.add_payment(merchant, amount, "保温杯", openid="oCustomer")
            made.append(self.wechatpay.customer_complains(merchant, payment, text, **more))

        self.act(f"a customer complains: {text[:40]}", complain)
        return made[0]

    def fault(self, platform: str, kind: CallFault | PushFault, path: str = "", **more: Any) -> Fault:
        """From the next step on."""
        return self.world.faults.add(Fault(platform, kind, path, **more))

    def mended(self, *faults: Fault) -> None:
        for fault in faults:
            fault.times = 1
            fault.platform = "nobody"


def _title(card: Message) -> str:
    return f"‹{card.content['header']['title']['content']}›"
