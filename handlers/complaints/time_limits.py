"""How long we have for a complaint.

docs/platforms/wechatpay.md ("Due times"): 24 h to the first reply, 72 h to the end, by the clock.
"""

from __future__ import annotations

from datetime import timedelta

FIRST_REPLY = timedelta(hours=24)
FINISH = timedelta(hours=72)
