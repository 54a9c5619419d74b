"""How a refund is told in one line."""

from __future__ import annotations

from bot.texts import Fen, Mention, Text, text
from storage.people import People
from storage.refunds import Refund


def refund_line(refund: Refund, people: People) -> Text:
    person = people.by_id(refund.requested_by)
    who = Mention(person.open_id, person.name) if person is not None else text("person.nobody")
    return text(
        "refund.line",
        number=refund.number,
        amount=Fen(refund.amount_fen),
        state=text(f"refund.state.{refund.progress}", why=refund.error or ""),
        who=who,
    )
