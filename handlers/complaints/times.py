"""How long we have for a complaint.

docs: wechatpay.md §7 "Time limits and penalties": 24 h to the first reply, 72 h to the end, by the clock.
"""

from __future__ import annotations

from datetime import timedelta

FIRST_REPLY = timedelta(hours=24)
FINISH = timedelta(hours=72)
