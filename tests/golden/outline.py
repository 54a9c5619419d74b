"""Cards as lines that a person can read and compare. Nothing of the JSON is left out but signatures."""

from __future__ import annotations

import difflib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_INDENT = " "
_SHORT = {  # for what stands on almost every card
    "column width=auto | ": "| ",
    "column weight=1 width=weighted | ": "¦ ",
    "column_set flex_mode=flow horizontal_spacing=8px": "buttons",
    "column_set flex_mode=bisect horizontal_spacing=12px": "pair",
    " size=medium text=": " ",
    "› type=default": "›",
    "collapsible_panel expanded=false padding=8px vertical_spacing=8px": "fold",
    "header icon_expanded_angle=-180 icon_position=follow_text title=": "head ",
    "text_tag_list text_tag color=": "tag ",
    "icon standard_icon token=down-small-ccm_outlined": "arrow",
    "border color=grey corner_radius=5px": "border",
    " update_multi=true width_mode=fill": " usual",
}
# Of the status, which follows what comes of a click for a while: what is due may be found a moment before it is done
# or after, and how long ago something was depends on when it was drawn last.
_UNCERTAIN = (
    (re.compile(r"(Oldest missed</><br>)[^›]*"), r"\1…"),
    (re.compile(r"(?:\d+|不到 1) 分钟前"), "… 分钟前"),
    (re.compile(r"(?:\d+|less than 1) min ago"), "… min ago"),
    (re.compile(r"<grey>截至 [^›]*"), "<grey>截至 …"),
)
_TAG = re.compile(r"(<[^>]*>)")
_FONT = re.compile(r"<font color='(\w+)'>")


def outline(card: Mapping[str, Any]) -> list[str]:
    """One line for each part of a card; what is inside of it stands below, further in.

    What most of its actions have in common (the subject, its version, where it is bound to) stands in the first line
    only, so that a new version of the item does not make every line another one.
    """
    common = {}
    values = [dict(each) for each in _values(card)]
    for key in "svxb":
        told = Counter(_json(value.get(key)) for value in values)
        if told:
            common[key] = max(sorted(told), key=lambda one: told[one])
    first, *lines = (_abbreviated(line) for line in _lines("", card, 0, common))
    return [" ".join([first, *(f"{key}={value}" for key, value in common.items())]), *lines]


def _abbreviated(line: str) -> str:
    for long, short in _SHORT.items():
        line = line.replace(long, short)
    for pattern, told in _UNCERTAIN:
        line = pattern.sub(told, line)
    return line


def _values(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, list):
        for each in node:
            yield from _values(each)
    elif isinstance(node, Mapping):
        if node.get("type") == "callback" and isinstance(node.get("value"), Mapping):
            yield node["value"]
        for each in node.values():
            yield from _values(each)


def changes(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """How to make the one of the other: `@3-5` are lines that go (the third to the fifth), and below come those (+)
    that stand in their place; `@3` is a place where something is put in, before the third line."""
    told: list[str] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind != "equal":
            told.append(f"@{a + 1}-{b}" if b > a else f"@{a + 1}")
            told += [f"+{line}" for line in after[c:d]]
    return told


def words(text: Mapping[str, Any]) -> str:
    """A text in Chinese and English, where they are not the same: `中文 ⁄ English`."""
    content, both = str(text.get("content", "")), text.get("i18n_content") or text.get("i18n")
    if not both:
        return content
    chinese, english = str(both.get("zh_cn", "")), str(both.get("en_us", ""))
    others = {language: said for language, said in both.items() if language not in ("zh_cn", "en_us")}
    told = _both(chinese, english)
    if content != chinese:
        told = f"{content} ⁄⁄ {told}"
    return f"{told} {_json(others)}" if others else told


def _both(chinese: str, english: str) -> str:
    """Piece by piece between tags, where both have the same; what is the same in both languages stands once."""
    one, other = _TAG.split(chinese), _TAG.split(english)
    if one[1::2] != other[1::2]:
        return f"{chinese} ⁄ {english}"
    pieces = zip(one, other, strict=True)
    return "".join(left if left == right else f"{left} ⁄ {right}" for left, right in pieces)


def _shorter(markdown: str) -> str:
    return _FONT.sub(r"<\1>", markdown).replace("</font>", "</>")


def _lines(name: str, node: Any, depth: int, common: Mapping[str, str]) -> Iterator[str]:
    if isinstance(node, list):
        for each in node:
            yield from _lines(name, each, depth, common)
        return
    if not isinstance(node, Mapping):
        yield f"{_INDENT * depth}{name} {_json(node)}"
        return
    here = [name] if name and name not in ("elements", "columns") else []
    below: list[tuple[str, Any]] = []
    rest = dict(node)
    if "tag" in rest:
        here.append(str(rest.pop("tag")))
    said = _shorter(words(rest)) if "content" in rest else ""
    for key in ("content", "i18n_content"):
        rest.pop(key, None)
    for key in sorted(rest):
        value = rest[key]
        if key == "behaviors" and isinstance(value, list):
            here += [_behavior(each, common) for each in value]
        elif _is_text(value):
            here.append(f"{key}=‹{words(value)}›")
        elif isinstance(value, Mapping) or (isinstance(value, list) and any(isinstance(one, Mapping) for one in value)):
            below.append((key, value))
        else:
            here.append(f"{key}={value if isinstance(value, str) else _json(value)}")
    if said:
        here.append(f"‹{said}›")
    line = _INDENT * depth + " ".join(here).replace("\n", "\\n")
    if len(below) == 1 and below[0][0] == "elements" and len(below[0][1]) == 1:
        # What holds one thing only needs no line of its own.
        inner = list(_lines("", below[0][1][0], depth, common))
        yield f"{line} | {inner[0].lstrip()}"
        yield from inner[1:]
        return
    yield line
    for key, value in below:
        yield from _lines(key, value, depth + 1, common)


def _behavior(behavior: Mapping[str, Any], common: Mapping[str, str]) -> str:
    """The name of the action, and what it has otherwise than most; the signature stays away."""
    value = behavior.get("value")
    if behavior.get("type") != "callback" or not isinstance(value, Mapping):
        return f"→ {_json(behavior)}"
    told = {key: _json(one) for key, one in value.items() if key not in "at"}
    fields = [f"{key}={one}" for key, one in told.items() if common.get(key) != one]
    return " ".join(["→", str(value.get("a")), *fields])


def _is_text(value: object) -> bool:
    return isinstance(value, Mapping) and "content" in value and set(value) <= {"tag", "content", "i18n_content"}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
