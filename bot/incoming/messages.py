"""What somebody wrote to the bot: a command, or something to be helped with."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.contributions.routing import Asked
from bot.errors import Refused
from bot.feishu.port import Receiver
from bot.feishu.values import MessageReceived
from bot.incoming.command_parser import Typed, read
from bot.incoming.router import Router, arguments
from bot.incoming.user_rate_limit import RateDecision
from bot.texts import text
from bot.unit import Unit, to_chat, to_person

_MENTIONED = re.compile(r"@\{(ou_[A-Za-z0-9_-]+|all)\}")
HOME = "帮助"


def answer_place(message: MessageReceived) -> Receiver:
    """Where the answer goes. A private chat is known by the person: its chat id is not told in advance."""
    return to_chat(message.chat_id) if message.chat_type == "group" else to_person(message.sender_open_id)


def is_for_us(message: MessageReceived, router: Router) -> bool:
    """Whether anybody wants an answer; most of what is said in a group is said to others."""
    if message.sender_type != "user":
        return False  # two bots must not talk to each other for ever
    if message.chat_type != "group" or message.mentions_bot:
        return True
    if not message.text.lstrip().startswith(("/", "／")):
        return False
    typed = _typed(message)
    return isinstance(typed, Refused) or router.knows(typed.word)  # else a slash that speaks to somebody else


def _typed(message: MessageReceived) -> Typed | Refused:
    try:
        return read(message.text)
    except Refused as unreadable:
        return unreadable


def answer_message(unit: Unit, message: MessageReceived, router: Router) -> bool:
    """Carry out the command of a message that is for us; False: nothing is said. Raises Refused with what to say."""
    is_group = message.chat_type == "group"
    place = answer_place(message)
    actor = unit.actor(message.sender_open_id)
    typed = _typed(message)
    decision = router.rate_limiter.message(
        message.message_id, message.sender_open_id, place.id, is_stranger=actor.is_stranger, now=unit.now
    )
    if decision is RateDecision.SAY_NO:
        raise Refused(text("command.slow_down"))
    if decision is RateDecision.SILENT:
        return False
    if message.message_type not in ("text", "post"):
        unit.send_text(place, text("command.only_text"), reply_to=message.message_id)
        return True
    if isinstance(typed, Refused):
        raise typed
    asked = Asked(
        actor=actor,
        chat=place,
        chat_id=message.chat_id,
        is_group=is_group,
        message_id=message.message_id,
        mentions=tuple({mention.open_id: mention.name for mention in message.mentions}.items()),
    )
    word = typed.word or HOME.casefold()
    given = typed.arguments
    if not router.knows(word) and not typed.slash and _MENTIONED.match(word):
        word = HOME.casefold()  # somebody was mentioned and nothing was asked
    command = router.find(word, actor)
    command.run(unit, replace(asked, actor=actor), arguments(command, given))
    return True


def mentioned(argument: str) -> str | None:
    """The open id behind an argument that names a person (`@{ou_...}` or the id itself)."""
    match = _MENTIONED.fullmatch(argument.strip())
    if match is not None and match[1] != "all":
        return match[1]
    return argument if re.fullmatch(r"ou_[A-Za-z0-9_-]+", argument) else None
