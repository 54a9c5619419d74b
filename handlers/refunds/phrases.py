"""How refunds are told: in one line, in the colour of where they stand."""

from __future__ import annotations

from collections.abc import Sequence

from bot.cards.values import Block, Fold, Line, Note, Tone, Warning
from bot.texts import Fen, Mention, Text, text
from storage.areas.people import People
from storage.areas.refunds import Refund, RefundProgress

_TONES = {
    RefundProgress.ASKED: Tone.WAITING,
    RefundProgress.DROPPED: Tone.NEUTRAL,
    RefundProgress.APPROVED: Tone.CALM,
    RefundProgress.SENDING: Tone.CALM,
    RefundProgress.PROCESSING: Tone.CALM,
    RefundProgress.PAID: Tone.GOOD,
}  # the others want a warning


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


def told(refund: Refund, people: People) -> list[Block]:
    """Where a refund stands, and what to do where it did not go through."""
    line = refund_line(refund, people)
    tone = _TONES.get(RefundProgress(refund.progress))
    if tone is not None:
        return [Line(line, tone=tone)]
    hint = [Note(text("refund.retry_hint"))] if refund.progress == RefundProgress.FAILED and refund.can_retry else []
    return [Warning(line), *hint]


def all_told(refunds: Sequence[Refund], people: People) -> list[Block]:
    """The newest refund; those before it that came to nothing are folded away."""
    if not refunds:
        return []
    *before, last = refunds
    dropped = [refund for refund in before if refund.progress == RefundProgress.DROPPED]
    blocks = [block for refund in before if refund not in dropped for block in told(refund, people)]
    if dropped:
        lines = tuple(Note(refund_line(refund, people)) for refund in dropped)
        blocks.append(Fold(text("refund.dropped_before", count=len(dropped)), lines))
    return [*blocks, *told(last, people)]
