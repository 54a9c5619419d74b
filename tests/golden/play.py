"""Plays everything against one source tree and writes down what came of it.

    python -m tests.golden.play FILE [--tree FOLDER] [--python INTERPRETER] [--act NAME …]
    python -m tests.golden.play --record    # writes tests/golden/recorded anew

Each act has a sandbox and a bot of its own, and acts are played side by side. Nothing of the played tree is imported
here: it is reached over HTTP, its command line, and plain SQL.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.golden.acts import abroad, commands, complaints, doors, people, refunds, status, time, words
from tests.golden.player import Player
from tests.golden.recording import Normaliser, save, save_all
from tests.golden.stage import Tree

ROOT = Path(__file__).resolve().parents[2]
# The longest first.
ACTS: Mapping[str, Callable[[Player], None]] = {
    "refunds": refunds.play,
    "words": words.play,
    "commands": commands.play,
    "stuck work": status.work,
    "stuck calls": status.calls,
    "complaints": complaints.play,
    "time": time.play,
    "people": people.play,
    "abroad": abroad.play,
    "doors": doors.play,
}
AT_ONCE = 8  # most of an act is waiting
_UNTOLD = {  # what differs from run to run, or says the same as what stands elsewhere
    "inbox": ("body",),  # what we sent ourselves
    "audit": ("previous", "hash"),
    "audit_head": ("hash",),
    "card": ("drawn", "lane"),
    "outbox": ("id", "lane", "due_at"),
    "complaint": ("phone_index", "openid_index"),
    "person": ("open_id_index",),
    "data_key": ("wrapped",),
    "process": ("token", "started_at", "seen_at", "ticked_at"),  # in real time
    "heartbeat": ("seen_at",),
    "account": ("settings",),  # holds this machine's paths
}
_UNTOLD_TABLES = re.compile(
    r"call_trouble|workflow_|dbos_|notifications|streams|application_versions|queues|operation_outputs|sqlite_|alembic_"
)
# What several jobs write at once has an order only within a chat, or a step.
_ORDER: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "outbox": lambda row: (row["receiver"], _step(row["created_at"]), row["card_id"] or 0, row["body"] or ""),
    "inbox": lambda row: (_step(row["received_at"]), row["kind"]),
}
_UNCOUNTED = ("outbox.deliver", "inbox.process_all")  # how many messages one run takes along is a matter of luck
_DEADLINE = re.compile(r"deadline-(\d+)-")


def play(
    tree: Tree, folder: Path, only: Sequence[str] = (), say: Callable[[str], object] = lambda line: None
) -> dict[str, Any]:
    """The whole recording, act by act."""
    names = [name for name in ACTS if not only or name in only]

    def one(name: str) -> dict[str, Any]:
        found = play_act(tree, folder / name, ACTS[name])
        say(f"{name}: {len(found['steps'])} steps, the slowest {found.pop('slow'):.0f} s")
        return found

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(names, pool.map(one, names), strict=True))


def play_act(tree: Tree, folder: Path, act: Callable[[Player], None]) -> dict[str, Any]:
    with Player(tree, folder) as player:
        act(player)
        player.act("the end", lambda: None)
        tables = player.opened()
        names = Normaliser({str(folder.resolve()): "folder", str(tree.folder): "tree"})
        told = {
            "played": _played(player, tables),
            "steps": player.notes.steps,
            "jobs": _jobs(player),
            "tables": {
                name: _rows(name, rows) for name, rows in tables.items() if rows and not _UNTOLD_TABLES.match(name)
            },
        }
        found: dict[str, Any] = names(told)
        return {**found, "slow": player.slow}


def _played(player: Player, tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list[str]]:
    """What was tried and taken, by its kind; for the test that nothing is left out."""
    fired = {
        int(found[1])
        for (id,) in player.rows("SELECT workflow_uuid FROM workflow_status")
        if (found := _DEADLINE.match(id))
    }
    kinds = {
        "words": player.played["words"],
        "command line": player.played["command line"],
        "clicks": player.played["clicks"],
        "cards": {row["kind"] for row in tables["card"]},
        "deadlines": {row["kind"] for row in tables["deadline"] if row["id"] in fired},
        "jobs": set(_jobs(player)),
        "schedules": {row["job"] for row in tables["schedule_run"]},
        "events": {row["kind"] for row in tables["inbox"] if row["source"] == "feishu" and row["state"] == "done"},
        "pushes": {row["kind"] for row in tables["inbox"] if row["source"] != "feishu"} | player.played["pushes"],
    }
    return {kind: sorted(names) for kind, names in kinds.items()}


def _jobs(player: Player) -> dict[str, int]:
    """How often each job ran, by the engine's own book; 0 for those where that is a matter of luck."""
    counts = Counter(
        str(name) for (name,) in player.rows("SELECT json_extract(inputs, '$.positionalArgs[0]') FROM workflow_input")
    )
    return {name: 0 if name in _UNCOUNTED else count for name, count in sorted(counts.items())}


def _step(moment: str) -> tuple[str, int]:
    return moment[:17], int(moment[17:19]) // 30


def _posted(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Texts, and each card where it was posted first: how many changes of it go out one by one is a matter of luck."""
    seen: set[int] = set()
    return [row for row in rows if row["card_id"] is None or not (row["card_id"] in seen or seen.add(row["card_id"]))]  # type: ignore[func-returns-value]


def _rows(table: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Each row in a line, in the order in which they were made; what is empty is left out."""
    untold = _UNTOLD.get(table, ())
    if table == "outbox":
        rows = _posted(rows)
    if table in _ORDER:
        rows = sorted(rows, key=_ORDER[table])
    return [
        " ".join(f"{name}={value}" for name, value in row.items() if value not in (None, "") and name not in untold)
        for row in rows
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.golden.play", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("file", type=Path, nargs="?", help="where the recording goes")
    parser.add_argument("--record", action="store_true", help="write down what the tests compare with")
    parser.add_argument("--tree", type=Path, default=ROOT, help="the source tree that is played")
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has its packages")
    parser.add_argument("--act", action="append", default=[], choices=list(ACTS), help="only this one; may be repeated")
    parser.add_argument("--keep", type=Path, help="a folder for logs and databases, to look at afterwards")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="golden-") as folder:
        place = given.keep or Path(folder)
        recording = play(
            Tree(given.tree.resolve(), given.python), place, given.act, lambda line: sys.stderr.write(f"{line}\n")
        )
    if given.record:
        save_all(recording)
    if given.file:
        save(recording, given.file)
        sys.stderr.write(f"{given.file}: {os.path.getsize(given.file)} bytes\n")


if __name__ == "__main__":
    main()
