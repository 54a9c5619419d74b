"""What a restore takes up again of refunds, and the timer behind their calls."""

from __future__ import annotations

from bot.contributions.effects import Effect
from bot.contributions.restore import Resuming, Unfinished
from bot.unit import Unit
from handlers.refunds.jobs import FOLLOW, effect_key
from handlers.refunds.payments import subject_of
from handlers.refunds.service import ACTION, SEND
from handlers.shared.accounts.registry import queue_of
from handlers.shared.recovery import begun
from storage.areas.refunds import RefundProgress, Refunds
from storage.core.effects import Effect as EffectRow


def _resume(resuming: Resuming) -> None:
    """One that is being sent or followed has a timer; one that was only approved has nothing but its job."""
    session = resuming.session
    for refund in Refunds(session).in_states(RefundProgress.APPROVED):
        begun(resuming, effect_key(refund), action=ACTION, account_key=refund.account_key, subject=subject_of(refund))
        queue = queue_of(session, refund.account_key)
        resuming.enqueue(SEND, f"refund-{refund.id}-{refund.attempts}", {"id": refund.id}, queue=queue)


def _timer(unit: Unit, call: EffectRow) -> tuple[str, str] | None:
    refund = unit.of(Refunds).by_number(call.key.partition(":")[2])
    return (FOLLOW, str(refund.id)) if refund is not None else None


UNFINISHED = Unfinished("refunds", _resume)
EFFECT = Effect(ACTION, _timer)
