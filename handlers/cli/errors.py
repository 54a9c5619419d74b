"""Failures of the command line whose cause lies outside the program, in a sentence."""

from __future__ import annotations

from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from storage.backups.backup import InUse, NotEmpty
from storage.backups.sealed_file import UnreadableFile
from storage.core.executor_lock import ExecutorLockTaken
from storage.migrate import SchemaTooNew
from storage.vault import VaultError


def plainly(error: Exception) -> str | None:
    """What went wrong and what to do; None for what nobody foresaw."""
    if isinstance(error, SchemaTooNew):
        return (
            f"The data is of a newer version of mpops (schema {error}). Nothing was changed. "
            "Install that version, or use an older backup."
        )
    if isinstance(error, VaultError):
        return (
            f"The database was made with another secret key: {error}. Nothing was changed. Set MPOPS_SECRET_KEY to "
            "the key it was made with; to change keys, also name the old one in MPOPS_PREVIOUS_SECRET_KEYS."
        )
    if isinstance(error, ExecutorLockTaken) and error.file:
        return (
            f"Another mpops works on this database file: {error.holder}. Nothing was started. A SQLite file is for one"
            " process that works: stop the other one, or set MPOPS_DATABASE_URL to a PostgreSQL to run several."
        )
    if isinstance(error, ExecutorLockTaken):
        return (
            f'Another mpops works on this database under the name "{error.name}": {error.holder}. Nothing was started.'
            " Stop it, or set MPOPS_EXECUTOR to a name of its own for each process."
        )
    if isinstance(error, UnreadableFile):
        return f"The backup cannot be used: {error}. Nothing was changed."
    if isinstance(error, NotEmpty):
        return "The database is not empty. Nothing was changed. To replace all that is in it, add --force."
    if isinstance(error, InUse):
        return f"mpops works on this database ({error}). Nothing was changed. Stop it, and wait 15 seconds."
    if isinstance(error, (ArgumentError, NoSuchModuleError)):
        return "MPOPS_DATABASE_URL is not an address of a database; an example is sqlite:///var/mpops.db"
    if isinstance(error, DBAPIError) and type(error).__name__ in ("OperationalError", "InterfaceError"):
        return f"The database cannot be used ({type(error.orig).__name__}): see MPOPS_DATABASE_URL, and that it runs."
    return None
