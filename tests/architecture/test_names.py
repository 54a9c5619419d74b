"""Names are the field's: the words of ours that stood for them do not come back (docs/architecture.md)."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from inspect import isclass
from pathlib import Path
from pkgutil import iter_modules

import pytest

import adapters.ports
import adapters.values
import bot.feishu.port
from storage.all_models import METADATA
from storage.base import Base

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("bot", "handlers", "adapters", "storage")
FILES = sorted(file for part in PRODUCT for file in (ROOT / part).rglob("*.py") if "versions" not in file.parts)

# What it is called now, and the words that stood for it, alone or inside a longer name.
OLD_WORDS = {
    "rate limiter": {"pace", "turn", "turns", "door", "allowance"},
    "rendering": {"parcel", "parcels", "packing", "pen"},
    "sending": {"posting"},
    "correlation id": {"trail", "trails"},
    "partition": {"lane", "lanes"},
    "executor lock": {"slot", "slots"},
    "heartbeat": {"presence"},
    "provider outage or health": {"trouble", "troubles"},
    "backlog": {"stuck"},
    "restore check": {"drill", "drills"},
    "refresh": {"redraw", "redraws"},
    "webhooks or batching": {"ingress", "intake"},
    "preview": {"glance"},
}
# And what a module or a folder is called whose name was a word of ours, or said nothing of what stands in it.
OLD_MODULES = {
    "cards": {"showing"},
    "commands or clicks": {"table"},
    "apply_file_tables or apply_file_rows": {"declared", "declaring", "config_tables", "config_rows"},
    "repair": {"mending"},
    "backlog": {"items"},
    "gauges": {"readings"},
    "calls": {"watching"},
    "command_parser": {"wording"},
    "instrumented": {"tracked"},
    "server or flask_app": {"serving", "web"},
    "shutdown": {"stopping"},
    "formatting or stored_text": {"spoken", "stored"},
    "phrases": {"words"},
    "errors": {"refusals", "failures"},
    "durations": {"spans"},
    "configuration": {"setup", "applyfile"},
    "named after the command of mpops": {"keeping", "running", "machine"},
    "bootstrap": {"opening"},
    "card_context": {"drawing"},
    "card_views": {"views"},
    "card_section": {"section"},
    "approval_card": {"approval"},
    "refund_subject": {"payment"},
    "deadlines": {"times"},
    "caller": {"calling"},
    "slim_import": {"slim"},
    "abilities": {"capabilities"},
    "json_reading": {"answers"},
    "reply_checks": {"replies"},
    "key_checks": {"key_findings"},
    "all_models, schema_version, column_types": {"models", "schema", "types"},
}
WORDS = {old: new for new, words in OLD_WORDS.items() for old in words}
MODULES = {old: new for new, words in OLD_MODULES.items() for old in words}
ELSEWHERE = {"bot/telemetry/spans.py", "adapters/wechatpay/models.py"}  # which are spans, and models
# Classes that were called like a module is not any more.
OLD_CLASSES = {
    "Setup": "Configuration",
    "TrackedEngine": "InstrumentedEngine",
    "Feishu": "FeishuPort",
    "Stop": "Shutdown",
}
# Verbs whose object is told now: send_text, send_card, render.
OLD_VERBS = {"say", "post"}


def words_of(name: str) -> list[str]:
    return [word.casefold() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)]


def public_names(tree: ast.Module) -> Iterator[tuple[str, int, bool]]:
    """Classes and functions that others may use, with their line, and whether it is a function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node.name, node.lineno, not isinstance(node, ast.ClassDef)


def old_names(module: str, source: str) -> list[str]:
    """What is called by an old word, in one module."""
    found = []
    for part in Path(module).with_suffix("").parts:
        found += [f"{module}: {word} is {WORDS[word]} now" for word in words_of(part) if word in WORDS]
        if part in MODULES and module not in ELSEWHERE:
            found.append(f"{module}: {part} is {MODULES[part]} now")
    for name, line, is_function in public_names(ast.parse(source)):
        if is_function and name in OLD_VERBS:
            found.append(f"{module}:{line}: {name} is told with its object now")
        if name in OLD_CLASSES:
            found.append(f"{module}:{line}: {name} is {OLD_CLASSES[name]} now")
        found += [f"{module}:{line}: {name}: {word} is {WORDS[word]} now" for word in words_of(name) if word in WORDS]
    return found


def test_no_module_class_or_function_has_an_old_name() -> None:
    found = [old for file in FILES for old in old_names(str(file.relative_to(ROOT)), file.read_text(encoding="utf-8"))]
    assert found == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("bot/pace.py", ""), ("handlers/complaints/table.py", ""), ("handlers/toys/showing.py", ""),
        ("bot/unit.py", "class Unit:\n    def say(self): ..."), ("bot/unit.py", "def redraw_card(): ..."),
        ("handlers/setup/__init__.py", ""), ("storage/drills/x.py", ""), ("bot/unit.py", "class Setup: ..."),
        ("storage/core/x.py", "class FileSlot: ..."), ("bot/x.py", "async def trail_of(): ..."),
    ],
)  # fmt: skip
def test_an_old_name_is_found(module: str, source: str) -> None:
    assert len(old_names(module, source)) == 1


PORTS = [import_module(found.name) for found in iter_modules(adapters.ports.__path__, "adapters.ports.")]


@pytest.mark.parametrize("module", [*PORTS, bot.feishu.port])
def test_ports_end_in_port_and_nothing_else_does(module: object) -> None:
    for name, each in vars(module).items():
        if isclass(each) and each.__module__ == getattr(module, "__name__", ""):
            assert getattr(each, "_is_protocol", False) == name.endswith("Port"), name


def test_a_port_a_row_and_a_value_never_share_a_name() -> None:
    ports = {name for module in PORTS for name in vars(module) if name.endswith("Port")}
    values = {
        name for name, each in vars(adapters.values).items() if isclass(each) and each.__module__ == "adapters.values"
    }
    rows = {mapper.class_.__name__ for mapper in Base.registry.mappers}
    assert len(rows) == len(METADATA.tables)
    shared = [name for name, times in Counter([*ports, *values, *rows]).items() if times > 1]
    assert shared == []
    assert [name for name in rows if re.search(r"(Row|Model|Record|Table)$", name)] == []
