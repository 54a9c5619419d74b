"""Loading only the parts of lark-oapi that are used: its package `__init__` imports 11,000 modules, 3 s and 170 MB.

The two packages whose `__init__` does that are placed in `sys.modules` unexecuted; the first unknown attribute runs
the real `__init__`, so `lark_oapi.Client` still works for whoever asks, at the full price.
See docs/decisions/0004-slim-import-of-lark-oapi.md.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

_HEAVY = ("lark_oapi", "lark_oapi.api")
_lock = threading.RLock()


def module(name: str) -> ModuleType:
    """The module `name` of lark-oapi, as `lark_oapi.api.im.service`, with no more of the package than it needs."""
    with _lock:
        _prepare()
        try:
            return _import(name)
        except Exception:
            # A release that relies on its own __init__ having run: start again the ordinary, expensive way.
            if not _unload():
                raise
            importlib.import_module("lark_oapi")
            return _import(name)


def stand_in(name: str, **attributes: object) -> None:
    """Put a module with nothing but `attributes` in the place of `name`, unless that is loaded already.

    For what a module that we need imports and we do not. Should it need more, `module` falls back to the whole package.
    """
    with _lock:
        _prepare()
        if is_slim() and name not in sys.modules:
            sys.modules[name] = ModuleType(name)
            vars(sys.modules[name]).update(attributes)


def is_slim() -> bool:
    """Whether lark-oapi is in this process without its full `__init__` having run."""
    package = sys.modules.get("lark_oapi")
    return package is not None and isinstance(vars(package).get("__getattr__"), _Loader)


class _Loader:
    """A module's `__getattr__`: runs the real `__init__` when something is asked that only it defines."""

    def __init__(self, package: ModuleType, run: Callable[[ModuleType], None]) -> None:
        self._package, self._run = package, run

    def __call__(self, name: str) -> Any:
        # Inspection asks for names such as __wrapped__; only `from ... import *` asks for __all__ and means the lot.
        if not (name.startswith("__") and name.endswith("__")) or name == "__all__":
            with _lock:
                if vars(self._package).get("__getattr__") is self:
                    del vars(self._package)["__getattr__"]
                    self._run(self._package)
            if name in vars(self._package):
                return vars(self._package)[name]
        raise AttributeError(f"module {self._package.__name__!r} has no attribute {name!r}")


def _import(name: str) -> ModuleType:
    found = importlib.import_module(name)
    # The SDK writes its log to standard output, which belongs to our command line; our own handlers get it anyway.
    logging.getLogger("Lark").handlers.clear()
    return found


def _prepare() -> None:
    if "lark_oapi" in sys.modules:
        return
    try:
        for name in _HEAVY:
            _place(name)
    except Exception:
        _unload()


def _place(name: str) -> None:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        raise ImportError(name)
    package = importlib.util.module_from_spec(spec)
    vars(package)["__getattr__"] = _Loader(package, spec.loader.exec_module)
    sys.modules[name] = package
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, package)


def _unload() -> bool:
    """Take an unexecuted lark-oapi out again; False when it was loaded fully and there is nothing to undo."""
    if not any(
        isinstance(vars(sys.modules[name]).get("__getattr__"), _Loader) for name in _HEAVY if name in sys.modules
    ):
        return False
    for name in [name for name in sys.modules if name == "lark_oapi" or name.startswith("lark_oapi.")]:
        del sys.modules[name]
    return True
