"""Taking up calls outside after a restore: they may have been made since the backup, so it is asked before acting."""

from __future__ import annotations

from bot.contributions.restore import Resuming
from storage.core.effects import Effects, EffectState
from storage.core.schedule import Deadlines


def begun(resuming: Resuming, key: str, *, action: str, account_key: str, subject: str) -> None:
    """Mark a call that the rows say is about to be made as begun: the job behind it looks before it acts."""
    effects = Effects(resuming.session)
    if effects.get(key) is None:
        effects.begin(key, action=action, account_key=account_key, subject=subject, request={}, at=resuming.now)
        effects.settle(key, EffectState.UNKNOWN, resuming.now)


def has_timer(resuming: Resuming, kind: str, subject: int) -> bool:
    """Whether a deadline comes back to it by itself."""
    deadline = Deadlines(resuming.session).get(kind, str(subject))
    return deadline is not None and deadline.done_at is None
