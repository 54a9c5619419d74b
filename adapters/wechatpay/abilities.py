"""What WeChat Pay can do for an ordinary merchant (direct) and for a partner (provider).

docs/platforms/wechatpay.md ("Roles: merchant and partner").
"""

from __future__ import annotations

from adapters.abilities import Ability, Capability, Support, Table

_API = Ability(Support.API)
_COMPLAINT_CONSOLE = "商户平台 → 账户中心 → 消费者投诉"
_REFUND_CONSOLE = "商户平台 → 交易中心 → 退款管理"

DIRECT: Table = {
    Capability.COMPLAINT_LIST: Ability(Support.API, note="by day of creation; older complaints are read one by one"),
    Capability.COMPLAINT_DETAIL: _API,
    Capability.COMPLAINT_HISTORY: _API,
    Capability.COMPLAINT_REPLY: Ability(Support.API, note="at most 500 characters, no emoji, links need a whitelist"),
    Capability.COMPLAINT_REPLY_PICTURE: Ability(Support.CONSOLE, console_path=_COMPLAINT_CONSOLE),
    Capability.COMPLAINT_COMPLETE: _API,
    Capability.COMPLAINT_REFUND_DECISION: Ability(Support.API, note="only complaints of type REFUND; moves no money"),
    Capability.COMPLAINT_PICTURE: Ability(Support.API, note="pictures that the merchant itself uploaded are refused"),
    Capability.COMPLAINT_NOTIFY: Ability(Support.API, note="not guaranteed by the platform: poll as well"),
    Capability.COMPLAINT_NOTIFY_ADDRESS: _API,
    Capability.REFUND_CREATE: Ability(Support.API, note="within a year of the payment, at most 50 parts"),
    Capability.REFUND_QUERY: _API,
    Capability.REFUND_NOTIFY: _API,
    Capability.REFUND_ABNORMAL: Ability(Support.CONSOLE, console_path=_REFUND_CONSOLE),
    Capability.VIOLATION_NOTIFY: Ability(Support.NONE, note="partners only"),
}

PROVIDER: Table = {
    **DIRECT,
    Capability.REFUND_CREATE: Ability(
        Support.API,
        needs=("特约商户授权服务商退款",),
        note="within a year of the payment, at most 50 parts; names the sub-merchant",
    ),
    Capability.VIOLATION_NOTIFY: Ability(Support.UNKNOWN, note="the platform has it; not built yet"),
}
