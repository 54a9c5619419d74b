"""What each channel can do in each mode, as data: buttons, help, permission checks and the matrix page read this table.

A channel adds itself with one file that holds `DIRECT` and `PROVIDER`, and two lines here.
"""

from __future__ import annotations

from collections.abc import Mapping

from adapters.abilities import Ability, Capability, Support, Table
from adapters.wechatpay import abilities as wechatpay

ABILITIES: Mapping[tuple[str, str], Table] = {
    ("wechatpay", "direct"): wechatpay.DIRECT,
    ("wechatpay", "provider"): wechatpay.PROVIDER,
}
"""By (channel, mode)."""

_UNTOLD = Ability(Support.UNKNOWN)


def ability(channel: str, mode: str, capability: Capability) -> Ability:
    """What is known; `Support.UNKNOWN` for a channel, mode or capability that no table tells."""
    return ABILITIES.get((channel, mode), {}).get(capability, _UNTOLD)
