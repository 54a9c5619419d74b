"""What the areas of a process are built of."""

from __future__ import annotations

from dataclasses import dataclass

from bot.clock import Clock
from bot.feishu.port import FeishuPort
from bot.unit import Units
from handlers.shared.accounts.registry import Channels


@dataclass(frozen=True, slots=True)
class House:
    """`zone`: of chats that have none of their own. An area that is built calls nobody and reads nothing yet."""

    units: Units
    accounts: Channels
    feishu: FeishuPort
    clock: Clock
    zone: str
