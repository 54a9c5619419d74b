"""Refunds in the digest of a group."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.card_context import Look
from bot.contributions.digests import DigestBlock, Digested, Figure
from bot.texts import Fen, text
from storage.areas.refunds import Refunds


def _draw(look: Look, chat: str, day: datetime) -> Digested:
    count, paid = Refunds(look.session).paid_in_chat(chat, day, day + timedelta(days=1))
    words = text("digest.refund_sum", n=count, amount=Fen(paid)) if count else text("number", n=0)
    # After what came in, before what was answered.
    return Digested(day=(Figure(text("digest.refunds"), words, place=10),))


DIGEST = DigestBlock("refunds", _draw)
