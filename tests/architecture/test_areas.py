"""Import rules for areas that are yet to come: whoever adds a folder to `handlers/` is held to them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import app
from bot.area import Areas
from bot.contributions.cards import CardKind, Section
from bot.contributions.jobs import Job
from bot.contributions.permissions import PermissionSpec
from bot.contributions.routing import Click, Command
from bot.contributions.scheduled import Scheduled
from tests.house import all_areas

HANDLERS = Path(__file__).resolve().parents[2] / "handlers"
SHARED, COMMAND_LINE = "shared", ("cli", "configuration")
HUBS = frozenset({"digests", "help", "people", "status"})
FOLDERS = sorted(each.name for each in HANDLERS.iterdir() if (each / "__init__.py").is_file())
AREAS = [name for name in FOLDERS if name not in (SHARED, *COMMAND_LINE)]


def imported(folder: str) -> Iterator[tuple[Path, str]]:
    """Every module that a folder of `handlers/` imports, wherever the import stands."""
    for file in sorted((HANDLERS / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module is not None and not node.level:
                yield file, node.module
                yield from ((file, f"{node.module}.{alias.name}") for alias in node.names)
            elif isinstance(node, ast.Import):
                yield from ((file, alias.name) for alias in node.names)


def others(folder: str) -> set[str]:
    """Which other folders of `handlers/` one stands on."""
    found = {module.split(".")[1] for _, module in imported(folder) if module.startswith("handlers.")}
    return found & set(FOLDERS) - {folder}


@pytest.mark.parametrize("area", AREAS)
def test_no_area_and_no_hub_stands_on_anything_but_what_is_shared(area: str) -> None:
    assert others(area) <= {SHARED}


def test_what_is_shared_stands_on_no_area() -> None:
    assert others(SHARED) == set()


def test_every_area_is_named_in_the_composition_root_and_nowhere_else_in_the_product() -> None:
    assert sorted(app.AREAS) == AREAS
    assert {area for area in AREAS for hub in HUBS if area in others(hub)} == set()


# --- what they bring -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def areas() -> Areas:
    return all_areas()


def test_whatever_asks_for_a_permission_asks_for_one_that_somebody_brings(areas: Areas) -> None:
    known = {spec.name for spec in areas.of(PermissionSpec)}
    asked = {each.permission for each in (*areas.of(Command), *areas.of(Click)) if each.permission is not None}
    assert asked <= known


def test_every_section_is_drawn_on_a_card_that_there_is(areas: Areas) -> None:
    kinds = {kind.name for kind in areas.of(CardKind)}
    assert {section.card for section in areas.of(Section)} <= kinds


def test_every_schedule_starts_a_job_that_there_is(areas: Areas) -> None:
    jobs = {job.name for job in areas.of(Job)}
    assert {scheduled.job for scheduled in areas.of(Scheduled)} <= jobs
