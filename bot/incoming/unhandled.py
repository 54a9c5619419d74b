"""What arrives and concerns nobody here: told by one rule, at the door already and once more by the inbox's job."""

from __future__ import annotations

import structlog

from bot.area import Areas
from bot.feishu.envelope import Envelope
from bot.feishu.events import Malformed, parse
from bot.feishu.values import BotMenu, CardClicked, Incoming, MessageReceived, Other
from bot.incoming.messages import is_for_us
from bot.incoming.router import Router

log = structlog.get_logger("inbox")


def read_event(envelope: Envelope, bot_open_id: str, inbox_id: str) -> Incoming:
    """The value of an event; a broken one is one that nobody handles, and the log says so."""
    try:
        return parse(envelope, bot_open_id)
    except Malformed as error:
        log.warning("event.malformed", inbox=inbox_id, kind=envelope.event_type[:200], why=str(error))
        return Other(envelope.event_type)


def is_unhandled(value: Incoming, router: Router, areas: Areas) -> bool:
    """Whether nothing would come of it, whoever works it off."""
    if isinstance(value, MessageReceived):
        return not is_for_us(value, router)
    return not isinstance(value, CardClicked) and not areas.listeners(type(value))


def is_unhandled_on_arrival(value: Incoming, bot_open_id: str, router: Router, areas: Areas) -> bool:
    """The same, where our own id may not be known: then whoever is mentioned may be us, and that is not settled.

    A process that only accepts events asks Feishu for nothing, so it never knows.
    """
    if isinstance(value, MessageReceived) and value.mentions and not bot_open_id:
        return False
    return is_unhandled(value, router, areas)


def is_urgent(value: Incoming) -> bool:
    """Whether somebody waits for what comes of it; such an item does not wait for others."""
    return isinstance(value, (MessageReceived, CardClicked, BotMenu))
