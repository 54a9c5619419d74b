"""Clicks of approvals. Who may vote is the policy's business, so no general permission is asked for."""

from __future__ import annotations

from bot.contributions.routing import Click
from bot.texts import text
from handlers.approvals import service, todo

CLICKS = (
    Click("approval.approve", None, service.approve, service.check_approve),
    Click("approval.open_reject", None, service.open_reject, service.check_open_reject),
    Click("approval.reject", None, service.reject, service.check_reject),
    Click("approval.back", None, service.back, service.check_open_reject),
    Click("approval.withdraw", None, service.withdraw, service.check_withdraw),
    Click("todo.approval", None, todo.show, done=text("click.opened")),
)
