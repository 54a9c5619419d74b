"""`make migration ID=0005_from_0001 SAYS=tickets`: writes the way from the newest schema to what the models say."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from contextlib import closing

from storage.database import Database
from storage.migrate import drift, make_revision, migrate


def main(arguments: list[str]) -> int:
    """0 when a file was written, 2 when nothing was to do or was asked wrongly."""
    if len(arguments) < 2:
        sys.stderr.write("Say an id and a word or two: make migration ID=0005_from_0001 SAYS=tickets\n")
        return 2
    revision, *says = arguments
    with (
        tempfile.TemporaryDirectory(prefix="migration-") as folder,
        closing(Database(f"sqlite:///{folder}/newest.db")) as database,
    ):
        migrate(database)
        if not drift(database):
            sys.stderr.write("The models and the newest schema are the same; there is nothing to write.\n")
            return 2
        file = make_revision(database, " ".join(says), revision)
    for tidy in (("check", "--fix", "--quiet"), ("format", "--quiet")):
        subprocess.run([sys.executable, "-m", "ruff", *tidy, str(file)], check=True)
    sys.stdout.write(f"{file}: read it, then make check.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
