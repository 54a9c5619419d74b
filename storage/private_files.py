"""Files that only the user of mpops may read, from the moment in which they are made."""

from __future__ import annotations

import contextlib
import os
import stat
import threading
from pathlib import Path

FILE, FOLDER = 0o600, 0o700
_OTHERS = 0o077
_BESIDE = ("", "-wal", "-shm", "-journal", ".lock")
_making = threading.Lock()


def make_folder(folder: Path) -> None:
    """With all that is missing above it. What is there already stays as it is."""
    for each in (*reversed(folder.absolute().parents), folder.absolute()):
        with contextlib.suppress(FileExistsError):
            each.mkdir(FOLDER)


def make_file(path: Path) -> None:
    """An empty file for SQLite, which gives its rights on to those beside it; nothing where there is one already.

    Whatever is wrong with the place, SQLite says it better.
    """
    # A file that is there is never opened: closing it again would give up the locks that SQLite holds on it for this
    # process. And nobody here connects to a new one before it is closed.
    with _making, contextlib.suppress(OSError):
        os.close(os.open(os.path.realpath(path), os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE))


def of_database(path: Path) -> list[Path]:
    """The file of a SQLite database and those beside it, as far as they are there."""
    return [found for ending in _BESIDE if (found := Path(f"{path}{ending}")).is_file()]


def is_open(path: Path) -> bool:
    """Whether others may do anything with it."""
    return bool(path.stat().st_mode & _OTHERS)


def rights(path: Path) -> str:
    """As `ls` and `chmod` say it: 644."""
    return f"{stat.S_IMODE(path.stat().st_mode):o}"


def narrow(path: Path) -> bool:
    """Take away what others may do with a file of ours; whether there was anything. Another's file stays as it is."""
    with contextlib.suppress(OSError):
        if path.stat().st_uid == os.geteuid() and is_open(path):
            path.chmod(stat.S_IMODE(path.stat().st_mode) & ~_OTHERS)
            return True
    return False
