"""The rich message of immediate service, checked by its documented shape. docs: 回复需要即时服务的投诉单."""

from __future__ import annotations

from sandbox.wechatpay.bodies import Body
from sandbox.wechatpay.refusals import wrong_field

_CONTENT = {
    "TEXT": {"text", "color", "is_bold"},
    "IMAGE": {"media_id", "image_style_type"},
    "LINK": {"text", "action", "invalid_info"},
    "FAQ_LIST": {"faqs"},
    "BUTTON": {"text", "action", "invalid_info"},
    "BUTTON_GROUP": {"buttons", "button_layout", "invalid_info"},
}


def check_rich_message(message: Body) -> None:
    """Raises PARAM_ERROR when a block is of no known type or does not hold the object of its type."""
    message.text("custom_data", 4096, required=False)
    sender = message.text("sender_identity", 32, required=False)
    if sender not in ("", "UNKNOWN", "MANUAL", "MACHINE"):
        raise wrong_field("/message/sender_identity", "发送者身份不在枚举范围内", sender)
    blocks = message.items("blocks", {"type", *(kind.lower() for kind in _CONTENT)}, required=True)
    if not blocks:
        raise wrong_field("/message/blocks", "消息内容不能为空")
    for block in blocks:
        kind = block.text("type", 32)
        if kind not in _CONTENT:
            raise wrong_field("/message/blocks/type", "消息块类型不在枚举范围内", kind)
        content = block.inner(kind.lower(), _CONTENT[kind])
        if kind in ("TEXT", "LINK", "BUTTON"):
            content.text("text", 1024)
