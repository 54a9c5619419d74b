"""Sentences at rest: a `Text` as JSON, for a message that is put into words only when it is sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.texts import Fen, Instant, Left, Mention, Param, Text, text


def _plain(value: Param) -> Any:
    if isinstance(value, Text):
        return {"text": value.key, "params": {name: _plain(inner) for name, inner in value.params.items()}}
    if isinstance(value, Fen):
        return {"fen": value.amount}
    if isinstance(value, Instant):
        return {"at": value.at.isoformat(), "style": value.style}
    if isinstance(value, Left):
        return {"left": value.span.total_seconds()}
    if isinstance(value, Mention):
        return {"open_id": value.open_id, "name": value.name, "ping": value.ping}
    return value


def _param(value: Any) -> Param:
    if not isinstance(value, Mapping):
        return value if isinstance(value, int) else str(value)
    if "text" in value:
        return text(value["text"], **{name: _param(inner) for name, inner in value["params"].items()})
    if "fen" in value:
        return Fen(value["fen"])
    if "at" in value:
        return Instant(datetime.fromisoformat(value["at"]), value["style"])
    if "left" in value:
        return Left(timedelta(seconds=value["left"]))
    return Mention(value["open_id"], value["name"], value["ping"])


def dump_text(words: Text) -> str:
    return json.dumps(_plain(words), ensure_ascii=False)


def load_text(stored: str) -> Text:
    """The sentence that `dump_text` stored."""
    found = _param(json.loads(stored))
    if not isinstance(found, Text):
        raise ValueError("not a stored sentence")
    return found
