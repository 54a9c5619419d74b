"""What can go wrong with Feishu on demand, and its own words for it."""

from __future__ import annotations

from flask import Response

from sandbox.faults import CallFault, PushFault
from sandbox.feishu.api import refusal
from sandbox.feishu.errors import Refused

# Feishu does not sign its answers, so no signature of one can be bad.
FAULTS = (*(kind for kind in CallFault if kind is not CallFault.BAD_SIGNATURE), *PushFault)


def error_answer(kind: CallFault) -> Response:
    """Feishu's throttling (99991400 with `x-ogw-ratelimit-reset`) and its internal error."""
    if kind is CallFault.TOO_MANY:
        headers = {"x-ogw-ratelimit-limit": "1000", "x-ogw-ratelimit-reset": "1"}
        return refusal(Refused(99991400, "request trigger frequency limit", 429, headers))
    return refusal(Refused(2200, "Internal Error", 500))
