"""Showing a card another way to whoever clicked it: with a form, or without."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.contributions.routing import Clicked
from bot.errors import Refused
from bot.texts import text
from bot.unit import Unit


def show_view(unit: Unit, clicked: Clicked, kind: str, subject: str, params: Mapping[str, Any]) -> None:
    """The clicked card only; the other cards of the item stay as they are. Empty `params`: without any form.

    Raises Refused where the card is not the newest one of that item in its place any more.
    """
    card = unit.card_of_message(clicked.message_id)
    if card is None or card.kind != kind or card.subject != subject:
        raise Refused(text("card.moved"))
    # A form is somebody's: whoever draws the card shows it only while that person may send it.
    unit.refresh_card(card, params={**params, "by": clicked.actor.id} if params else {})
