"""The platforms of the sandbox. Nothing else in it names them, outside their own folders."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.feishu.platform import Feishu
from sandbox.platform import Platform
from sandbox.wechatpay.platform import WeChatPay
from sandbox.world import World

Maker = Callable[[World], Platform]

PLATFORMS: tuple[Maker, ...] = (Feishu, WeChatPay)


class Named:
    """The platforms by their names, as `Sandbox` sets them; a line here only tells type checkers which is which."""

    feishu: Feishu
    wechatpay: WeChatPay
