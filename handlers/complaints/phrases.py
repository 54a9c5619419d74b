"""How the steps of a complaint's history are told."""

from __future__ import annotations

from bot.cards.values import Words
from bot.texts import text

# WeChat Pay, 查询投诉单协商历史. Steps that only carry words are told by their words; unknown ones as they are.
_STEPS = {
    "USER_CONTINUE_COMPLAINT": "history.complained_again",
    "USER_CLICK_RESPONSE": "history.pressed_button",
    "USER_REVOKE_COMPLAINT": "history.withdrew",
    "USER_COMFIRM_COMPLAINT": "history.confirmed",
    "USER_CONFIRM_COMPLAINT": "history.confirmed",
    "USER_APPLY_PLATFORM_HELP": "history.asked_platform",
    "USER_APPLY_PLATFORM_SERVICE": "history.asked_platform",
    "USER_CANCEL_PLATFORM_SERVICE": "history.cancelled_platform",
    "USER_SUBMIT_SATISFACTION": "history.rated",
    "PLATFORM_HELP_APPLICATION": "history.platform_asks",
    "PLATFORM_SERVICE_FINISHED": "history.platform_finished",
    "MERCHANT_CONFIRM_COMPLETE": "history.finished",
    "MERCHANT_CONFIRM_COMPLETE_SYSTEM_MESSAGE": "history.finished",
    "MERCHANT_APPROVE_REFUND": "history.agreed_refund",
    "MERCHANT_REFUSE_RERUND": "history.refused_refund",
    "MERCHANT_REFUSE_REFUND": "history.refused_refund",
    "MERCHANT_REJECT_REFUND": "history.refused_refund",
    "SERVICE_ORDER_CANCEL": "history.order_cancelled",
    "SERVICE_ORDER_COMPLETE": "history.order_completed",
    "USER_CREATE_COMPLAINT_SYSTEM_MESSAGE": "history.complained",
    "USER_CONTINUE_COMPLAINT_SYSTEM_MESSAGE": "history.complained_again",
    "COMPLAINT_FULL_REFUNDED": "history.refunded_in_full",
    "COMPLAINT_FULL_REFUNDED_SYSTEM_MESSAGE": "history.refunded_in_full",
    "COMPLAINT_PARTIAL_REFUNDED_SYSTEM_MESSAGE": "history.refunded_in_part",
    "COMPLAINT_REFUND_RECEIVED_SYSTEM_MESSAGE": "history.refund_received",
    "COMPLAINT_ENTRUSTED_REFUND_SYSTEM_MESSAGE": "history.refund_entrusted",
}
_SPOKEN = frozenset({"USER_CREATE_COMPLAINT", "USER_RESPONSE", "MERCHANT_RESPONSE", "PLATFORM_RESPONSE"})


def step(kind: str, *, spoken: bool) -> Words | None:
    """What happened at that step of a history; None where the words that were `spoken` tell it."""
    if kind in _STEPS:
        return text(_STEPS[kind])
    if kind in _SPOKEN or not kind:
        return None if spoken else text("history.no_words")
    return kind
