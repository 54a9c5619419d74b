"""What a play left behind, in words that are the same in every run; and what two of them have otherwise.

Whatever is made anew in each run (ids, tokens, ports, hashes) becomes a placeholder, numbered in the order of its
appearance within an act, so that equal things stay equal. The play's clock stands still between its steps, so times are
kept to the step.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).with_name("recorded")
_STEP = 30  # seconds
BEGIN = "2027-03-01 02:00"  # UTC; what was before that belongs to the start of a play and has no certain time
_NUMBERED = {
    "message": r"om_[0-9a-f]{32}",
    "chat": r"oc_[0-9a-f]{32}",
    "person": r"ou_[0-9a-f]{32}",
    "image": r"img_v3_[0-9a-f]{32}",
    "media": r"ChsyMDAyMTEy[0-9a-f]{24}(?:\+|%2B)[0-9a-f]{4}(?:==|%3D%3D)",
    "transaction": r"4200\d{24}",
    "refund id": r"5030\d{25}",
    "order": r"MALL\d{20}",
    "refund": r"mpops-\d+-[0-9a-f]{16}",
    "customer": r"oSandbox[\w-]{20}",
    "uuid": r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    "hash": r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])",
    "id": r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])",
    "click": r"c-[0-9a-f]{40}",
    # Eight hex digits may be anything, so they count only where numbers of trails and incidents stand.
    "trail": r"(?:(?<=编号 )|(?<=number )|(?<=trail=)|(?<=incident=)|(?<=\"trail\": \"))[0-9a-f]{8}(?![0-9a-f])",
    "outbox": r"(?:(?<=s=\"message\|)|(?<=\"message ))\d+",
    "anchor": r"\d+(?::|&#58;)[0-9a-f]{12}(?![0-9a-f])",
    "serial": r"(?<![0-9A-F])[0-9A-F]{40}(?![0-9A-F])",
}
_PLAIN = (
    (r"http://127\.0\.0\.1:\d+", "http://<host>"),
    (r"127\.0\.0\.1:\d+", "<host>"),
    (r"(?<![\d<])1\d{12}(?!\d)", "<ms>"),
    (r"\d+ 秒", "<n> 秒"),
    (r"(?<![\w:.])\d+ s(?![\w=])", "<n> s"),
    (r"Python/[\d.]+", "Python/<version>"),
)
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d):(\d\d)(?:\.\d+)?(?=[^\d]|$)")


@dataclass
class Normaliser:
    """`paths`: folders of this machine, by what they are called in the recording."""

    paths: Mapping[str, str] = field(default_factory=dict)
    _seen: dict[str, str] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # By number, for a name cannot hold a space.
        self._kinds = list(_NUMBERED)
        self._pattern = re.compile(
            "|".join(f"(?P<k{number}>{_NUMBERED[kind]})" for number, kind in enumerate(self._kinds))
        )

    def __call__(self, value: Any) -> Any:
        """The same value with placeholders; mappings keep their order, for that is the order of appearance."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self(each) for key, each in value.items()}
        if isinstance(value, Sequence):
            return [self(each) for each in value]
        return value

    def text(self, value: str) -> str:
        for path, name in self.paths.items():
            value = value.replace(path, f"<{name}>")
        value = self._pattern.sub(self._numbered, value)
        value = _MOMENT.sub(_floored, value)
        for pattern, name in _PLAIN:
            value = re.sub(pattern, name, value)
        return value

    def _numbered(self, found: re.Match[str]) -> str:
        kind = self._kinds[int(str(found.lastgroup)[1:])]
        id = found[0].replace("%2B", "+").replace("%3D", "=").replace("&#58;", ":")
        if id not in self._seen:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._seen[id] = f"<{kind} {self._counts[kind]}>"
        return self._seen[id]


def _floored(found: re.Match[str]) -> str:
    if found[0].replace("T", " ") < BEGIN:
        return "<before>"
    return f"{found[1]}:{int(found[2]) // _STEP * _STEP:02}"


# --- comparing -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Difference:
    """`where` leads to it; `lines` begin with - (only in the first) or + (only in the second)."""

    where: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join([f"== {self.where}", *self.lines])


def differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Difference]:
    """Act by act and step by step. A step that only one of them has is told whole."""
    for act in [*first, *(name for name in second if name not in first)]:
        if act not in first or act not in second:
            yield Difference(act, (f"{'-' if act in first else '+'} the whole act",))
            continue
        one, other = _sections(first[act]), _sections(second[act])
        names = difflib.SequenceMatcher(None, [name for name, _ in one], [name for name, _ in other], autojunk=False)
        for kind, a, b, c, d in names.get_opcodes():
            if kind == "equal":
                for (name, before), (_, after) in zip(one[a:b], other[c:d], strict=True):
                    if before != after:
                        yield Difference(f"{act} › {name}", tuple(_changed(before, after)))
            else:
                for name, lines in one[a:b]:
                    yield Difference(f"{act} › {name}", ("- the whole of it", *(f"- {line}" for line in lines)))
                for name, lines in other[c:d]:
                    yield Difference(f"{act} › {name}", ("+ the whole of it", *(f"+ {line}" for line in lines)))


def _sections(act: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """The act as named pieces, each as the lines of its JSON."""
    found: list[tuple[str, Any]] = []
    for name, value in act.items():
        if name == "steps":
            found += [(f"{step['step']}", {key: each for key, each in step.items() if key != "step"}) for step in value]
        elif isinstance(value, Mapping):
            found += [(f"{name} › {key}", each) for key, each in value.items()]
        else:
            found.append((name, value))
    return [(name, written(value).splitlines()) for name, value in found]


def _changed(before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    for line in list(difflib.unified_diff(before, after, lineterm="", n=1))[2:]:
        yield "  …" if line.startswith("@@") else line


def unmeant(found: Iterator[Difference], meant: Sequence[Mapping[str, str]]) -> list[Difference]:
    """Those that no entry of meant.json speaks of: `where` and `lines` are patterns that must be found in them."""
    return [
        one
        for one in found
        if not any(
            re.search(entry["where"], one.where) and re.search(entry.get("lines", ""), "\n".join(one.lines))
            for entry in meant
        )
    ]


# --- files ---------------------------------------------------------------------------------------------------------


def written(recording: Any) -> str:
    """As JSON, a line for each thing."""
    return json.dumps(recording, ensure_ascii=False, indent=0)


def save(recording: Mapping[str, Any], file: Path) -> None:
    file.write_text(written(recording) + "\n")


def load(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def save_all(recording: Mapping[str, Any], folder: Path = RECORDED) -> None:
    """A file for each act, without the rows of the tables: of those only how many there are, and a hash."""
    folder.mkdir(exist_ok=True)
    for act, told in recording.items():
        save(without_rows(told), folder / f"{act.replace(' ', '_')}.json")


def load_all(folder: Path = RECORDED) -> dict[str, Any]:
    return {file.stem.replace("_", " "): load(file) for file in sorted(folder.glob("*.json"))}


def without_rows(act: Mapping[str, Any]) -> dict[str, Any]:
    """Rows would make up half of what is kept; `tests.golden.compare` shows which of them differ."""
    return {**act, "tables": {name: _digest(rows) for name, rows in act["tables"].items()}}


def _digest(rows: Sequence[str]) -> str:
    return f"{len(rows)} rows, {hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:12]}"
