"""What the sources ask the catalogue of texts for, read out of them without running them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass
class Uses:
    """What the sources ask the catalogue for."""

    calls: list[tuple[str, str, frozenset[str] | None]] = field(default_factory=list)  # place, key, parameters
    made_up: list[tuple[str, str]] = field(default_factory=list)  # place, regular expression of a key made up in a call
    patterns: set[str] = field(default_factory=set)  # of keys made up anywhere
    strings: set[str] = field(default_factory=set)  # every literal: keys also stand in tables


def sources() -> Iterator[Path]:
    for folder in ("bot", "handlers"):
        yield from sorted((ROOT / folder).rglob("*.py"))
    if (ROOT / "app.py").exists():
        yield ROOT / "app.py"


def uses_in(source: str, place: str) -> Uses:
    tree = ast.parse(source)
    uses = Uses()
    makers = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bot.texts")
        for alias in node.names
        if alias.name in ("text", "Text")
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            uses.strings.add(node.value)
        if isinstance(node, ast.JoinedStr) and starts_like_a_key(node):
            uses.patterns.add(pattern(node))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in makers and node.args:
            key = node.args[0]
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                named = [keyword.arg for keyword in node.keywords]
                known = frozenset(name for name in named if name) if None not in named and len(node.args) == 1 else None
                uses.calls.append((f"{place}:{node.lineno}", key.value, known))
            elif isinstance(key, ast.JoinedStr):
                uses.made_up.append((f"{place}:{node.lineno}", pattern(key)))
    return uses


def starts_like_a_key(node: ast.JoinedStr) -> bool:
    first = node.values[0] if node.values else None
    return isinstance(first, ast.Constant) and re.match(r"[a-z_]+\.", str(first.value)) is not None


def pattern(node: ast.JoinedStr) -> str:
    parts = [re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"[\w.]+" for part in node.values]
    return "".join(parts)
