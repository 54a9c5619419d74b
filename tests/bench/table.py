"""What a measurement found, as a table on the screen and as JSON in a file."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from tests.bench.machine import Machine

ENOUGH = 200  # values for a p95
SPREAD = ("count", "p50 ms", "p95 ms", "worst ms")


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of them do not exceed; 0.5 is the median. Not a number when there are none."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def spread(values: Sequence[float]) -> tuple[float, float, float, float]:
    """How many, median, p95 and worst; no p95 of so few that one of them could make it."""
    p95 = percentile(values, 0.95) if len(values) >= ENOUGH else float("nan")
    return len(values), percentile(values, 0.5), p95, max(values, default=float("nan"))


@dataclass(frozen=True, slots=True)
class Ratio:
    """One figure to reach. `rounds` are the ratios of the single rounds; their median counts."""

    what: str
    rounds: tuple[float, ...]
    goal: float
    at_most: bool = False  # else: at least
    unit: str = "x"

    @property
    def value(self) -> float:
        return median(self.rounds) if self.rounds else float("nan")

    @property
    def reached(self) -> bool:
        return self.value <= self.goal if self.at_most else self.value >= self.goal

    def told(self) -> str:
        bound = "at most" if self.at_most else "at least"
        spread = f" [{min(self.rounds):.2f} … {max(self.rounds):.2f}]" if len(self.rounds) > 1 else ""
        verdict = "reached" if self.reached else "NOT reached"
        return f"{self.what}: {self.value:.2f}{self.unit}{spread}, goal {bound} {self.goal:g}{self.unit}: {verdict}"


@dataclass(slots=True)
class Measured:
    """`columns` names what stands in each row."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str | float, ...]] = field(default_factory=list)
    ratios: list[Ratio] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def table(self) -> str:
        cells = [list(self.columns)] + [[_shown(cell) for cell in row] for row in self.rows]
        widths = [max(_width(row[column]) for row in cells) for column in range(len(self.columns))]
        lines = [f"== {self.name}: {self.title}"]
        for number, row in enumerate(cells):
            padded = [
                _padded(cell, width, left=place == 0)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            lines.append("  " + "  ".join(padded).rstrip())
            if number == 0:
                lines.append("  " + "  ".join("-" * width for width in widths))
        lines += [f"  {ratio.told()}" for ratio in self.ratios]
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines)

    def write(self, folder: Path, machine: Machine, seconds: float) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{self.name}.json"
        told = {
            "name": self.name,
            "title": self.title,
            "machine": asdict(machine),
            "seconds": seconds,
            "rows": [dict(zip(self.columns, map(_written, row), strict=True)) for row in self.rows],
            "ratios": [{**asdict(ratio), "value": ratio.value, "reached": ratio.reached} for ratio in self.ratios],
            "notes": self.notes,
        }
        file.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n")
        return file


def _shown(cell: str | float) -> str:
    if isinstance(cell, str) or cell != cell:
        return str(cell).replace("nan", "-")
    return (
        f"{cell:.0f}" if abs(cell) >= 100 or cell == int(cell) else f"{cell:.2f}" if abs(cell) < 10 else f"{cell:.1f}"
    )


def _written(cell: str | float) -> str | float | None:
    return None if cell != cell else cell


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _padded(text: str, width: int, *, left: bool) -> str:
    space = " " * (width - _width(text))
    return text + space if left else space + text
