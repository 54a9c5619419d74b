"""Reading JSON that somebody else wrote: never an exception of another kind, never a text that a database refuses."""

from __future__ import annotations

import json
from typing import Any


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`. Raises ValueError for anything else, however it is broken.

    Lone surrogates and NUL in texts become U+FFFD, because neither UTF-8 nor PostgreSQL can hold them.
    """
    try:
        data = json.loads(body.decode("utf-8"))
        if not isinstance(data, dict):
            raise ValueError("not a JSON object")
        cleaned: dict[str, Any] = _clean(data) if b"\\u" in body else data
        return cleaned
    except RecursionError:
        raise ValueError("nested too deeply") from None


def clean_text(text: str) -> str:
    """The text with what no UTF-8 database can hold replaced by U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\x00", "\ufffd")


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {clean_text(key): _clean(item) for key, item in value.items()}
    return value
