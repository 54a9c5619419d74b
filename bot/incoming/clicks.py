"""Clicks on cards: read, looked at before the toast, carried out by the inbox."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from bot.cards.actions import ActionSigner, ForgedAction
from bot.contributions.routing import Clicked
from bot.errors import Refused
from bot.feishu.values import CardClicked
from bot.incoming.router import Router, not_allowed
from bot.texts import Text, text
from bot.unit import Unit


@dataclass(frozen=True, slots=True)
class Toast:
    """`kind`: info, success, error, warning. `stranger`: it was refused to somebody without any role."""

    kind: str
    words: Text
    refused: bool = False
    stranger: bool = False


def read_click(unit: Unit, value: CardClicked, signer: ActionSigner) -> Clicked:
    """Raises Refused for a click that this bot did not draw, or drew for somebody else."""
    try:
        action = signer.open(value.value, chat_id=value.chat_id, open_id=value.operator_open_id)
    except ForgedAction:
        raise Refused(text("click.forged")) from None
    form = {name: field if isinstance(field, str) else ",".join(field) for name, field in value.form.items()}
    return Clicked(
        actor=unit.actor(value.operator_open_id),
        chat_id=value.chat_id,
        message_id=value.message_id,
        action=action,
        option=value.option,
        form=MappingProxyType(form),
    )


def preview(unit: Unit, value: CardClicked, signer: ActionSigner, router: Router) -> Toast:
    """What to tell the one who clicked, at once. Changes nothing."""
    try:
        clicked = read_click(unit, value, signer)
        click = router.click(clicked.action.name)
        if click is None:
            return Toast("warning", text("click.unknown"), refused=True)
        if not clicked.actor.may(click.permission):
            reason = not_allowed(click.permission, clicked.actor)
            return Toast("error", reason, refused=True, stranger=clicked.actor.is_stranger)
        words = click.check(unit, clicked) if click.check is not None else click.done
    except Refused as refusal:
        stranger = unit.actor(value.operator_open_id).is_stranger
        return Toast("error", refusal.reason, refused=True, stranger=stranger)
    return Toast("success", words or text("click.received"))
