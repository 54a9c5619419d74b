"""Clicks of refunds."""

from __future__ import annotations

from bot.contributions.routing import Click
from handlers.refunds.service import REQUEST, RefundService


def clicks(service: RefundService) -> tuple[Click, ...]:
    return (
        Click("complaint.open_refund", REQUEST, service.open_form, service.check_form),
        Click("refund.ask", REQUEST, service.ask, service.check_ask),
        Click("refund.withdraw", None, service.withdraw, service.check_withdraw),
        Click("refund.retry", REQUEST, service.retry, service.check_retry),
    )
