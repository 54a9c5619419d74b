"""Clicks on cards, from the finger to the refreshed card. docs/platforms/feishu.md ("Forms and clicks")."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sandbox.feishu import card_client, content
from sandbox.feishu.card_client import Interactive
from sandbox.feishu.core import Core
from sandbox.feishu.errors import CannotClick, Refused
from sandbox.feishu.pushes import CallbackAnswer, answered_object
from sandbox.feishu.state import TENANT, CardToken, ClickResult, Message, User

TOKEN_LIFE = timedelta(minutes=30)
TOKEN_USES = 2
TOAST_TYPES = frozenset({"info", "success", "error", "warning"})
MOST_DELAYED_BYTES = 100 * 1024


class Clicks(Core):
    def click(
        self,
        open_id: str,
        message_id: str,
        *,
        element: int | str | None = None,
        value: object = None,
        name: str | None = None,
        form_value: Mapping[str, Any] | None = None,
        option: str | None = None,
        input_value: str | None = None,
        checked: bool | None = None,
    ) -> ClickResult:
        """Click or fill in one interactive thing and wait for the app's answer, 3 s at most.

        The thing is found by `element` (its index among the interactive ones, its path like `body.elements.0`, or its
        element_id), by the callback's `value`, by `name`, or by the `option` it offers. Raises CannotClick for what the
        client would not let happen: disabled, older than 14 days, recalled, a required field empty.
        """
        with self.world.lock:
            message, user = self._clickable(open_id, message_id)
            one = card_client.find(message.content, element, value, name, option)
            if one.disabled:
                tips = (one.node.get("disabled_tips") or {}).get("content", "")
                raise CannotClick(f"it is disabled: {tips}")
            action = self._action(message.content, one, form_value, option, input_value, checked)
        return self._send(message, user, one, action)

    def click_button(
        self, open_id: str, message_id: str, label: str, form: Mapping[str, Any] | None = None
    ) -> ClickResult:
        """Press the enabled button with this text, in any language; `form` fills the form it belongs to."""
        with self.world.lock:
            message, user = self._clickable(open_id, message_id)
            button = card_client.find_button(message.content, label)
            if form and button.form is None:
                raise CannotClick(f"the button {label!r} belongs to no form")
            action = self._action(message.content, button, form, None, None, None)
        return self._send(message, user, button, action)

    def choose(self, open_id: str, message_id: str, option: str, element: int | str | None = None) -> ClickResult:
        """Choose an option, by value or text, of a selection outside forms."""
        return self.click(open_id, message_id, element=element, option=option)

    def update_later(self, app_id: str, token: object, card: object) -> None:
        """The delayed update with the token of a click. Raises Refused."""
        if not isinstance(token, str) or not token.startswith("c-"):
            raise Refused(300020, "the token format is invalid")
        with self.world.lock:
            known = self.store.card_tokens.get(token)
            if known is None or known.app_id != app_id:
                raise Refused(300020, "the token format is invalid")
            if self.store.now() - known.issued_at > TOKEN_LIFE:
                raise Refused(300030, "the token has expired")
            if known.uses >= TOKEN_USES:
                raise Refused(300040, "the token has been used up")
            if not isinstance(card, dict):
                raise Refused(100030, "the card is not valid json")
            message = self.store.messages.get(known.message_id)
            if message is None or message.recalled:
                raise Refused(200000, "the message was recalled")
            try:
                shown = content.changed_card(self.store, message.content, card)
            except Refused as refusal:
                raise Refused(11311, refusal.msg) from None
            known.uses += 1
            if not known.answered:
                known.early_card = shown
            self.messages.show(message, shown)

    def _clickable(self, open_id: str, message_id: str) -> tuple[Message, User]:
        message, user = self.store.message(message_id), self.store.user(open_id)
        if not message.is_card:
            raise CannotClick("the message is not a card")
        if message.recalled:
            raise CannotClick("the message was recalled")
        if not self.store.clickable(message):
            raise CannotClick("the card is older than 14 days")
        if user.resigned or open_id not in self.store.chat(message.chat_id).members:
            raise CannotClick(f"{user.name} does not see this chat")
        if message.shown_to not in ("", open_id):
            raise CannotClick(f"{user.name} does not see this card")
        return message, user

    def _action(
        self,
        card: Mapping[str, Any],
        one: Interactive,
        form_value: Mapping[str, Any] | None,
        option: str | None,
        input_value: str | None,
        checked: bool | None,
    ) -> dict[str, Any]:
        bound = one.callback()
        action: dict[str, Any] = {"tag": one.tag}
        if bound is not None:
            action["value"] = bound
        if one.name:
            action["name"] = one.name
        kind = one.node.get("form_action_type")
        if kind == "submit" and one.form is not None:
            action["form_value"] = card_client.filled_form(card, one.form, form_value or {})
            return action
        if kind == "reset":
            raise CannotClick("this button only empties the form")
        if one.form is not None and one.tag != "button":
            raise CannotClick("a field of a form is sent with the form")
        if bound is None:
            raise CannotClick("it has no callback: it only opens a page or changes locally")
        if one.tag in card_client.SINGLE_CHOICE:
            if option is None:
                raise CannotClick("choose an option")
            chosen = card_client.option_value(one, option)
            if chosen is None and one.node.get("options"):
                raise CannotClick(f"{option!r} is not offered")
            action["option"] = chosen or option
        elif one.tag in ("date_picker", "picker_time", "picker_datetime"):
            if option is None:
                raise CannotClick("choose a date or time")
            action["option"] = option if "+" in option else f"{option} +0800"
            action["timezone"] = "Asia/Shanghai"
        elif one.tag == "input":
            if input_value is None or len(input_value) > int(one.node.get("max_length", 1000)):
                raise CannotClick("write a text that fits")
            action["input_value"] = input_value
        elif one.tag == "checker":
            action["checked"] = not one.node.get("checked", False) if checked is None else checked
        return action

    def _send(self, message: Message, user: User, one: Interactive, action: dict[str, Any]) -> ClickResult:
        with self.world.lock:
            app = self.store.apps[message.sender]
            token = CardToken(f"c-{secrets.token_hex(20)}", app.app_id, message.message_id, self.store.now())
            self.store.card_tokens[token.value] = token
            before, revision = message.content, message.revision
            event = {
                "operator": {"tenant_key": TENANT, **user.ids(app)},
                "token": token.value,
                "action": action,
                "host": "im_message",
                "context": {"open_message_id": message.message_id, "open_chat_id": message.chat_id},
            }
        answer = self.events.callback(app, event)
        with self.world.lock:
            token.answered = True
            toast, card, code, text = self._judge(message, answer)
            if card is not None:
                self.messages.show(message, card)
            elif token.early_card is not None and message.content is token.early_card:
                # An update by the click's token before the click was answered does not stay: docs/platforms/feishu.md
                # ("Card callback answer").
                self.messages.show(message, before)
            words = (toast or {}).get("i18n", {}).get(user.locale) or (toast or {}).get("content", "")
            return ClickResult(
                code=code,
                message=text,
                toast=toast,
                toast_text=str(words),
                card=message.content,
                updated=message.revision != revision,
                elapsed_ms=answer.elapsed_ms,
                token=token.value,
                confirm=one.node.get("confirm"),
            )

    def _judge(
        self, message: Message, answer: CallbackAnswer
    ) -> tuple[dict[str, Any] | None, dict[str, Any] | None, int, str]:
        """The toast, the card to show, and the client's error code with its meaning."""
        if answer.code:
            return None, None, answer.code, answer.message
        body = answered_object(answer.body)
        if body is None:
            return None, None, 200672, "the answer is not a JSON object"
        toast, card = body.get("toast"), body.get("card")
        if toast is not None and not _good_toast(toast):
            return None, None, 200672, "the toast has a wrong shape"
        if card is None:
            return toast, None, 0, ""
        if not isinstance(card, dict) or card.get("type") not in ("raw", "template"):
            return None, None, 200672, "the card has a wrong shape"
        data = card.get("data")
        if card["type"] == "template" or not isinstance(data, dict):
            return None, None, 200673, "the card cannot be shown"
        try:
            shown = content.changed_card(self.store, message.content, data)
        except Refused as refusal:
            code = 200830 if "200830" in refusal.msg else 200673
            return None, None, code, refusal.msg
        return toast, shown, 0, ""


def _good_toast(toast: object) -> bool:
    if not isinstance(toast, dict) or toast.get("type", "info") not in TOAST_TYPES:
        return False
    return isinstance(toast.get("content", ""), str) and isinstance(toast.get("i18n", {}), dict)
