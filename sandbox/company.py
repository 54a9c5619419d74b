"""A small company to play with: people, a group, a merchant with payments. Ids are fixed: a file can name them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sandbox.feishu.state import Chat, User
from sandbox.server import Sandbox
from sandbox.wechatpay.merchants import Merchant

GROUP = "oc_pay_complaints"
MERCHANT = "1900000109"
PAYMENTS = (
    (1, 6800, "保温杯"),
    (2, 19900, "蓝牙耳机"),
    (3, 128000, "扫地机器人"),
    (5, 2590, "洗衣液"),
)  # days ago, fen


@dataclass(frozen=True, slots=True)
class Company:
    operator: User
    colleague: User
    approver: User
    admin: User
    newcomer: User
    group: Chat
    merchant: Merchant


def found(sandbox: Sandbox) -> Company:
    """Fill an empty sandbox."""
    feishu, pay = sandbox.feishu, sandbox.wechatpay
    operator = feishu.add_user("陈晨", "ou_operator_chen", "Chen Chen")
    colleague = feishu.add_user("李雷", "ou_operator_li", "Li Lei", locale="en_us")
    approver = feishu.add_user("王芳", "ou_approver_wang", "Wang Fang")
    admin = feishu.add_user("赵敏", "ou_admin_zhao", "Zhao Min")
    newcomer = feishu.add_user("孙悦", "ou_newcomer_sun", "Sun Yue")
    people = [operator, colleague, approver, admin, newcomer]
    group = feishu.add_chat("支付投诉群", people, chat_id=GROUP)
    merchant = pay.add_merchant(MERCHANT, "云杉商城")
    now = sandbox.world.clock.now()
    for days, amount, what in PAYMENTS:
        pay.add_payment(MERCHANT, amount, what, openid=f"oUpF8uMuAJO_{what}", paid_at=now - timedelta(days=days))
    return Company(operator, colleague, approver, admin, newcomer, group, merchant)
