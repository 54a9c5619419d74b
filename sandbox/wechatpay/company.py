"""The small company at WeChat Pay: its merchant, with the last days' payments."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from sandbox.company import MERCHANT
from sandbox.wechatpay.core import Core

PAYMENTS = (
    (1, 6800, "保温杯"),
    (2, 19900, "蓝牙耳机"),
    (3, 128000, "扫地机器人"),
    (5, 2590, "洗衣液"),
)  # days ago, fen
ACCOUNT = "pay-main"  # what examples/demo.toml calls the merchant's account


def found(pay: Core) -> Mapping[str, Any]:
    merchant = pay.add_merchant(MERCHANT, "云杉商城")
    now = pay.world.clock.now()
    for days, amount, what in PAYMENTS:
        pay.add_payment(MERCHANT, amount, what, openid=f"oUpF8uMuAJO_{what}", paid_at=now - timedelta(days=days))
    return {"merchant": merchant}


def equip(pay: Core, folder: Path) -> None:
    pay.merchants[MERCHANT].write_files(folder / "keys")


def environment(pay: Core) -> Mapping[str, str]:
    """The variables that examples/demo.toml names."""
    merchant = pay.merchants[MERCHANT]
    return {
        "SANDBOX_MERCHANT_SERIAL": merchant.serial,
        "SANDBOX_API_V3_KEY": merchant.api_v3_key,
        "SANDBOX_PUBLIC_KEY_ID": merchant.platform_public_key_id,
    }


def connect(pay: Core, program: str) -> None:
    notify = f"{program}/notify/{ACCOUNT}"
    pay.set_notify_url(MERCHANT, notify)
    pay.set_refund_notify_url(MERCHANT, notify)
