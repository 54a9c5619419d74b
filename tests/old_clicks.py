"""Clicks on a card as a client still shows it, whatever stands there by now; and callbacks as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.feishu import card_client
from sandbox.feishu.platform import Feishu
from sandbox.feishu.pushes import CallbackAnswer
from sandbox.feishu.state import Message


def action_of(content: Mapping[str, Any], label: str, form: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the client sends for that button of a card with that content."""
    button = card_client.find_button(content, label)
    action: dict[str, Any] = {"tag": "button", "value": button.callback()}
    if button.form is not None:
        action["form_value"] = card_client.filled_form(content, button.form, form or {})
    return action


def call_back(feishu: Feishu, open_id: str, card: Message, action: Mapping[str, Any]) -> CallbackAnswer:
    """Send a card callback as it is, without what the client would check."""
    event = {
        "operator": {"tenant_key": "tk_sandbox", **feishu.store.user(open_id).ids(feishu.app)},
        "token": f"c-by-hand-{card.message_id}-{open_id}",
        "action": dict(action),
        "host": "im_message",
        "context": {"open_message_id": card.message_id, "open_chat_id": card.chat_id},
    }
    return feishu.events.callback(feishu.app, event)
