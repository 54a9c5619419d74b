"""Plays an old commit and the present tree, and tells what came out otherwise.

    python -m tests.golden.compare OLD_COMMIT [--keep FOLDER]

The old tree is unpacked from the history and runs in an environment of its own lock, which is the present one where
both locks are the same. What stands in meant.json is meant: each entry has `where` and `lines` (patterns) and `reason`.
Ends with 1 where anything else differs.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests.golden.play import ROOT, play
from tests.golden.recording import Difference, differences, save, unmeant
from tests.golden.stage import Tree
from tests.trees import NoHistory, interpreter, older_tree

MEANT = Path(__file__).with_name("meant.json")


def compare(commit: str, place: Path) -> list[Difference]:
    """What the present tree does otherwise than that commit, but for what is meant. Both recordings stay in `place`."""
    old = older_tree(commit, place / "tree")
    before = play(Tree(old, interpreter(old, place / "environment")), place / "before", say=_say)
    save(before, place / "before.json")
    after = play(Tree(ROOT, sys.executable), place / "after", say=_say)
    save(after, place / "after.json")
    return unmeant(differences(before, after), meant())


def meant() -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(MEANT.read_text())
    return found


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.golden.compare", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("commit", help="what is compared with, such as 7158a98")
    parser.add_argument("--keep", type=Path, help="a folder for recordings, logs and databases, to look at afterwards")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="golden-") as folder:
        place = given.keep or Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        try:
            found = compare(given.commit, place.resolve())
        except NoHistory as error:
            _say(str(error))
            return 2
    for one in found:
        sys.stdout.write(f"{one}\n")
    sys.stdout.write(f"{len(found)} differences.\n" if found else "No differences.\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
