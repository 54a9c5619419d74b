"""Refusals in Feishu's own codes. docs/platforms/feishu.md ("Errors by code")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


class CannotClick(Exception):
    """A person tried something that the Feishu client does not let them do: a dead button, an empty required field."""


@dataclass
class Refused(Exception):
    """An answer with a code other than 0; most come with HTTP 400."""

    code: int
    msg: str
    status: int = 400
    headers: Mapping[str, str] = field(default_factory=dict)
    error: Mapping[str, object] = field(default_factory=dict)


def field_error(name: str, description: str) -> Refused:
    """99992402: the gateway found a parameter missing or wrong before the service saw it."""
    violation = {"field": name, "description": description}
    return Refused(99992402, "field validation failed", error={"field_violations": [violation]})


def missing_scope(scope: str) -> Refused:
    """99991672: the app never asked for the scope, or no version with it was published."""
    violation = {"type": "action_scope_required", "subject": scope}
    text = f"Access denied. One of the following scopes is required: [{scope}]."
    return Refused(99991672, text, error={"permission_violations": [violation]})


def bad_card(code: int, msg: str) -> Refused:
    """230099 around the card builder's own code."""
    return Refused(230099, f"Failed to create card content, ext=ErrCode: {code}; ErrMsg: {msg}; ")
