"""The small company at Feishu: its people, its group, and its app."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.company import GROUP
from sandbox.feishu.people import People
from sandbox.feishu.state import App


def found(people: People) -> Mapping[str, Any]:
    staff = {
        "operator": people.add_user("陈晨", "ou_operator_chen", "Chen Chen"),
        "colleague": people.add_user("李雷", "ou_operator_li", "Li Lei", locale="en_us"),
        "approver": people.add_user("王芳", "ou_approver_wang", "Wang Fang"),
        "admin": people.add_user("赵敏", "ou_admin_zhao", "Zhao Min"),
        "newcomer": people.add_user("孙悦", "ou_newcomer_sun", "Sun Yue"),
    }
    return {**staff, "group": people.add_chat("支付投诉群", list(staff.values()), chat_id=GROUP)}


def environment(app: App, domain: str) -> Mapping[str, str]:
    """The settings of mpops for this app; `domain` is where Feishu answers."""
    return {
        "MPOPS_FEISHU__APP_ID": app.app_id,
        "MPOPS_FEISHU__APP_SECRET": app.secret,
        "MPOPS_FEISHU__ENCRYPT_KEY": app.encrypt_key,
        "MPOPS_FEISHU__VERIFICATION_TOKEN": app.verification_token,
        "MPOPS_FEISHU__DOMAIN": domain,
    }


def connect(app: App, program: str) -> None:
    app.event_url = app.card_url = f"{program}/feishu/events"
