"""The words of a received message: text and rich text, with mentions turned into something a command can resolve.

Feishu puts keys such as `@_user_1` into the text and says beside it who they are.
See docs/platforms/feishu.md ("Received text").
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from bot.feishu.values import Mentioned

ALL = "all"
_KEY = re.compile(r"@_user_[0-9]+|@_all")
_SPACES = re.compile(r"[ \t\u00a0\u3000]{2,}")
_BOT = "\ue000"  # private use: stands where the bot's own mention stood until the spaces around it are mended


def token(open_id: str) -> str:
    """How a person stands in a message's text."""
    return f"@{{{open_id}}}"


def clean(text: str) -> str:
    """Half surrogate pairs become "?": they cannot be stored or sent, and JSON allows them."""
    return text.encode("utf-8", "replace").decode()


def read_mentions(raw: object) -> dict[str, Mentioned]:
    """By key. Of an id of unknown form only the name is kept."""
    found: dict[str, Mentioned] = {}
    for entry in raw if isinstance(raw, list) else ():
        if not isinstance(entry, Mapping) or not isinstance(entry.get("key"), str) or not entry["key"]:
            continue
        ids, name = entry.get("id"), entry.get("name")
        open_id = ids.get("open_id") if isinstance(ids, Mapping) else ids
        found[entry["key"]] = Mentioned(
            open_id if isinstance(open_id, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,64}", open_id) else "",
            clean(name) if isinstance(name, str) else "",
        )
    return found


def read_text(kind: str, content: str, mentions: Mapping[str, Mentioned], bot_open_id: str) -> tuple[str, bool]:
    """The words of a message and whether it is addressed to all; ("", False) for kinds without words."""
    try:
        raw = json.loads(content)
    except (ValueError, RecursionError):
        return "", False
    if not isinstance(raw, Mapping):
        return "", False
    if kind == "text":
        text = _words(raw, "text")
    elif kind == "post":
        text = _post(raw)
    else:
        return "", False
    return _resolve(clean(text).replace(_BOT, ""), mentions, bot_open_id)


def _resolve(text: str, mentions: Mapping[str, Mentioned], bot_open_id: str) -> tuple[str, bool]:
    to_all = False

    def put(match: re.Match[str]) -> str:
        nonlocal to_all
        who = mentions.get(match[0])
        if who is None or who.open_id == ALL:
            to_all = True
            return token(ALL)
        if bot_open_id and who.open_id == bot_open_id:
            return f" {_BOT} "
        return token(who.open_id) if who.open_id else f"@{who.name}"

    # The longest key first: @_user_1 is also the beginning of @_user_12.
    keys = sorted({"@_all", *mentions}, key=len, reverse=True)
    lines = re.sub("|".join(map(re.escape, keys)), put, text).split("\n")
    mended = (_SPACES.sub(" ", line.replace(_BOT, "")).strip(" ") if _BOT in line else line for line in lines)
    return "\n".join(mended).strip(), to_all


def _post(raw: Mapping[str, Any]) -> str:
    if "content" not in raw:  # the form used for sending has a level of languages
        raw = next((each for each in raw.values() if isinstance(each, Mapping) and "content" in each), raw)
    paragraphs, title = raw.get("content"), raw.get("title")
    lines = [title] if isinstance(title, str) and title else []
    for paragraph in paragraphs if isinstance(paragraphs, list) else ():
        elements = paragraph if isinstance(paragraph, list) else ()
        lines.append("".join(_element(each) for each in elements if isinstance(each, Mapping)))
    return "\n".join(lines)


def _element(element: Mapping[str, Any]) -> str:
    tag = element.get("tag")
    if tag == "at":
        key = _words(element, "user_id")
        if key == ALL:
            return "@_all"
        return key if _KEY.fullmatch(key) else f"@{_words(element, 'user_name')}"
    if tag == "a":
        text, href = _words(element, "text"), _words(element, "href")
        return text if text == href or not href else f"[{text}]({href})"
    return _words(element, "text") if tag in ("text", "md", "code_block") else ""


def _words(element: Mapping[str, Any], key: str) -> str:
    value = element.get(key)
    return value if isinstance(value, str) else ""
