"""Writes the state tables into docs/architecture.md from the modules that hold them."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # run from anywhere


def rows() -> dict[str, list[tuple[str, list[str], str]]]:
    """By module: event, states that it may happen in, state that it leads to."""
    from handlers.complaints import states as complaints
    from handlers.refunds import states as refunds
    from handlers.shared.intents import states as approvals

    told: dict[str, list[tuple[str, list[str], str]]] = {}
    for module in (complaints, refunds):
        order = [state.value for state in type(module.STEPS[0].target)]
        told[module.__name__] = [
            (step.event.value, sorted((source.value for source in step.sources), key=order.index), step.target.value)
            for step in module.STEPS
        ]
    told[approvals.__name__] = [(step.event.value, [step.source.value], step.target.value) for step in approvals.STEPS]
    return told


def put(page: str, module: str, steps: list[tuple[str, list[str], str]]) -> str:
    heading = f"From `{module.replace('.', '/')}.py`:\n\n"
    table = ["| event | from | to |", "| --- | --- | --- |"]
    table += [f"| `{event}` | {', '.join(sources)} | {target} |" for event, sources, target in steps]
    written = heading + "\n".join(table) + "\n"
    changed, found = re.subn(re.escape(heading) + r"(?:\|.*\n)+", lambda match: written, page)
    if found != 1:
        raise SystemExit(f"docs/architecture.md has no table of {module}")
    return changed


def main() -> None:
    file = ROOT / "docs" / "architecture.md"
    page = file.read_text(encoding="utf-8")
    for module, steps in rows().items():
        page = put(page, module, steps)
    file.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
