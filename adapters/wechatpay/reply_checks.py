"""Which texts the platform takes, told before they are sent. docs/platforms/wechatpay.md ("Replies and texts")."""

from __future__ import annotations

from adapters.values import Objection

REPLY_LIMIT = 500
REASON_LIMIT = 200
REFUND_REASON_LIMIT = 80


def check_reply(text: str) -> Objection | None:
    return check_text(text, REPLY_LIMIT)


def check_reason(text: str) -> Objection | None:
    return check_text(text, REASON_LIMIT)


def check_refund_reason(text: str) -> Objection | None:
    return check_text(text, REFUND_REASON_LIMIT, required=False)


def check_text(text: str, limit: int, *, required: bool = True) -> Objection | None:
    """The first reason why a text would be refused; lengths are characters."""
    if required and not text.strip():
        return Objection("text.empty")
    found = unsupported_characters(text)
    if found:
        return Objection("text.characters", {"found": found})
    if len(text) > limit:
        return Objection("text.too_long", {"limit": limit, "length": len(text)})
    return None


def unsupported_characters(text: str) -> str:
    """The first ten different characters that need four bytes in UTF-8 (emoji, rare signs) or none can express."""
    found: dict[str, None] = {}
    for sign in text:
        if ord(sign) > 0xFFFF or 0xD800 <= ord(sign) <= 0xDFFF:
            # A half of a pair cannot be shown either.
            found["\ufffd" if ord(sign) <= 0xFFFF else sign] = None
            if len(found) == 10:
                break
    return "".join(found)
