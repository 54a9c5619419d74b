"""JSON of every shape, odd texts, and nesting without end."""

from __future__ import annotations

import json

from hypothesis import strategies as st

from tests.security.wire import as_json, deep

WORDS = st.text(st.characters(), max_size=30) | st.sampled_from(
    [
        "",
        "\x00",
        "\ud800",
        "ou_x",
        "oc_x",
        "om_x",
        "9" * 400,
        "1e999",
        "{x}",
        "{{}}",
        "<at id=all></at>",
        "../..",
        "％００",
    ]
)
SCALARS = st.none() | st.booleans() | st.integers(-(10**40), 10**40) | st.floats() | WORDS
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4))
WHOLE = VALUES.filter(lambda value: not _is_torn(value))  # what the sandbox can encode
LEVELS = st.sampled_from([50, 59, 60, 61, 100, 400, 900, 950, 990, 1000, 2500])
_BRACKETS = st.sampled_from([("[", "]"), ('{"a":', "}"), ("[", ""), ("{", ""), ('[{"a":', "}]")])
DEEP = st.builds(lambda pair, levels: deep(pair[0], pair[1], levels), _BRACKETS, LEVELS)


def _is_torn(value: object) -> bool:
    """Whether half a surrogate pair is in it."""
    return any("\ud800" <= sign <= "\udfff" for sign in json.dumps(value, ensure_ascii=False))


def objects(*names: str) -> st.SearchStrategy[dict[str, object]]:
    """Objects with some of these keys and anything behind them."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, VALUES))


def bodies(*names: str) -> st.SearchStrategy[bytes]:
    return st.binary(max_size=300) | VALUES.map(as_json) | DEEP | objects(*names).map(as_json)
