"""Clicks of approvals. Who may vote is the policy's business, so no general permission is asked for."""

from __future__ import annotations

from bot.router import Clickable
from handlers.approvals.service import Approving


def clickables(approving: Approving) -> tuple[Clickable, ...]:
    return (
        Clickable("approval.approve", None, approving.approve, approving.check_approve),
        Clickable("approval.open_reject", None, approving.open_reject, approving.check_open_reject),
        Clickable("approval.reject", None, approving.reject, approving.check_reject),
        Clickable("approval.back", None, approving.back, approving.check_open_reject),
        Clickable("approval.withdraw", None, approving.withdraw_click, approving.check_withdraw),
    )
