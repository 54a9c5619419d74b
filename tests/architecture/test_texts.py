"""A text lies beside who says it, or below: no area says what is written in the folder of another."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

from bot.area import Areas
from bot.contributions.effects import Effect
from bot.contributions.permissions import PermissionSpec
from bot.texts import LANGUAGES, Language
from bot.texts.catalogue import PACKAGED, text_files, texts_in
from tests.house import all_areas
from tests.text_uses import ROOT, sources, uses_in

# Keys that a hub makes up from what areas name: the sentence is the area's, only the prefix is the hub's.
MADE_OF_NAMES = (r"audit\.", r"permission\.", r"status\.call\.")


def lying_in(language: Language) -> dict[str, Path]:
    """Each key, and the folder in which its text lies, seen from the root."""
    return {
        key: file.parent.parent.relative_to(ROOT) for file in text_files(PACKAGED, language) for key in texts_in(file)
    }


LYING = lying_in("zh_cn")


def room(place: Path) -> str:
    return place.parts[1] if place.parts[0] == "handlers" else place.parts[0]


def may_be_said(text_lies: Path, by: Path) -> bool:
    """Whether a source file may say a text that lies in that folder."""
    return (
        room(text_lies) == room(by) or room(text_lies) == "bot" or (room(text_lies) == "shared" and room(by) != "bot")
    )


def foreign(by: Path, source: str) -> set[str]:
    """The texts that a source says and that lie in the folder of somebody else."""
    uses = uses_in(source, str(by))
    patterns = [each for each in uses.patterns if not each.startswith(MADE_OF_NAMES)]
    said = {key for key in LYING if key in uses.strings or any(re.fullmatch(each, key) for each in patterns)}
    return {key for key in said if not may_be_said(LYING[key], by)}


def test_a_text_lies_in_the_same_folder_in_both_languages() -> None:
    assert lying_in("en_us") == LYING


def test_nobody_says_what_is_written_in_the_folder_of_another() -> None:
    wrong = {}
    for path in sources():
        by = path.relative_to(ROOT)
        if found := foreign(by, path.read_text("utf-8")):
            wrong[str(by)] = sorted(found)
    assert wrong == {}


def test_the_look_finds_what_lies_elsewhere_literal_and_made_up() -> None:
    said = "text('complaint.claim')\nTABLE = {1: 'card.back', 2: 'channel.unavailable'}\nf'refund.told.{x}'\n"
    told = {"refund.told.approved", "refund.told.rejected", "refund.told.expired"}
    assert foreign(Path("handlers/complaints/cards.py"), said) == told
    assert foreign(Path("handlers/refunds/cards.py"), said) == {"complaint.claim"}
    assert foreign(Path("handlers/help/cards.py"), said) == told | {"complaint.claim"}
    assert foreign(Path("bot/outgoing/rendering.py"), said) == told | {"complaint.claim", "channel.unavailable"}
    assert foreign(Path("handlers/status/backlog.py"), "f'status.call.{name}'") == set()


@pytest.fixture(scope="module")
def areas() -> Areas:
    return all_areas()


def test_an_area_has_the_texts_of_what_it_names(areas: Areas) -> None:
    """What hubs make up a key from: titles of permissions, and of calls whose end is not known."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for area, spec in areas.with_areas(PermissionSpec):
        wanted[area.name].add(f"permission.{spec.name}")
    for area, effect in areas.with_areas(Effect):
        wanted[area.name].add(f"status.call.{effect.action}")
    assert wanted
    elsewhere = {
        key: area
        for area, keys in wanted.items()
        for key in keys
        if key not in LYING or room(LYING[key]) not in (area, "shared")
    }
    assert elsewhere == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_file_gives_a_key_twice(language: Language) -> None:
    """The reader of `.po` files keeps the first and says nothing."""
    for file in text_files(PACKAGED, language):
        given = re.findall(r'^msgid "(.+)"$', file.read_text("utf-8"), re.MULTILINE)
        assert sorted(given) == sorted(texts_in(file)), file
