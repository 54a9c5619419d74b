"""`make migration ID=0005_from_0001 SAYS=tickets`: writes the way from the newest schema to what the models say."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from storage.database import Database
from storage.migrate import drift, make_revision, migrate

VERSIONS = Path("storage") / "migrations" / "versions"


def main(arguments: list[str]) -> int:
    """0 when a file was written, 2 when nothing was to do or was asked wrongly. Run in the folder of the tree."""
    if len(arguments) < 2:
        sys.stderr.write("Say an id and a word or two: make migration ID=0005_from_0001 SAYS=tickets\n")
        return 2
    revision, *says = arguments
    with tempfile.TemporaryDirectory(prefix="migration-") as folder:
        database = Database(f"sqlite:///{folder}/newest.db")
        migrate(database)
        if not drift(database):
            sys.stderr.write("The models and the newest schema are the same; there is nothing to write.\n")
            return 2
        before = set(VERSIONS.glob("*.py"))
        make_revision(database, " ".join(says), revision)
        database.close()
    for file in set(VERSIONS.glob("*.py")) - before:
        for tidy in (("check", "--fix", "--quiet"), ("format", "--quiet")):
            subprocess.run([sys.executable, "-m", "ruff", *tidy, str(file)], check=True)
        sys.stdout.write(f"{file}: read it, then make check.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
