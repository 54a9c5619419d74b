"""Every table, imported in one place so that `Base.metadata` is whole (migrations, backups, drift checks)."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from storage import areas, core, keys
from storage.base import Base

__all__ = ["METADATA", "keys"]

# Every module of these rooms: one that was not imported would lack its tables in a backup without a word.
for _room in (core, areas):
    for _module in iter_modules(_room.__path__, f"{_room.__name__}."):
        import_module(_module.name)

METADATA = Base.metadata
