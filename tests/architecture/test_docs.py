"""What the pages name is there: files, tests, and the pages and headings that code cites."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("bot", "handlers", "adapters", "storage", "sandbox", "tests")
PAGES = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")} - {ROOT / "CHANGELOG.md"})
CODE = sorted(file for part in PARTS for file in (ROOT / part).rglob("*.py"))
_FILE = re.compile(
    rf"(?<![\w/.-])((?:{'|'.join(PARTS)}|docs|deploy|examples)/(?!merchant/|partner/|doc/)[\w./-]+\.[a-z]+)(?![\w/])"
)
_MOVES = "Where a file went:"
_CITED = re.compile(r'docs/([\w/-]+\.md)(?: \(|, )((?:"[^"]+"(?:, )?)+)\)')


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@cache
def _known_tests() -> frozenset[str]:
    """The names of files of tests and of the tests in them."""
    files = list((ROOT / "tests").rglob("test_*.py"))
    functions = (
        re.findall(r"^(?:async )?def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE) for file in files
    )
    return frozenset([*(file.stem for file in files), *(name for found in functions for name in found)])


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    told = page.read_text(encoding="utf-8").partition(_MOVES)[0]  # from there on old names are told too
    named = _FILE.findall(told)
    assert [name for name in named if not (ROOT / name).exists() and not (ROOT / "tests" / name).exists()] == []


def test_every_file_that_was_moved_is_where_the_table_says() -> None:
    rows = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").partition(_MOVES)[2]
    cells = re.findall(r"^\| `[^|]+ \| `([a-z]+/[^`]+)`[^|]*\|$", rows, re.MULTILINE)
    assert len(cells) == rows.count("\n|") - 2, "each row but the two of the head was read"
    missing = []
    for cell in cells:
        first, *others = cell.removesuffix(", the same name").split(", ")
        folder = first.rpartition("/")[0]
        for name in (first, *(f"{folder}/{other}" for other in others)):
            if not list(ROOT.glob(name.rstrip("/"))) and not list(ROOT.glob(f"{name}.py")):
                missing.append(name)
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_test_that_a_page_names_is_there(page: Path) -> None:
    told = page.read_text(encoding="utf-8")
    named = set(re.findall(r"\b(test_\w+)", " ".join(re.findall(r"`([^`\n]*test_[^`\n]*)`", told))))
    assert {name for name in named if name not in _known_tests() and not name.endswith("_")} == set()
    assert page.parent.name != "platforms" or len(named) > 50


@pytest.mark.parametrize("part", PARTS)
def test_every_file_that_code_names_is_there(part: str) -> None:
    """Pages, and files that comments name; the tests make up some of their own."""
    named = re.compile(r"(?<![\w/.-])(docs/[\w./-]+\.md)") if part == "tests" else _FILE
    wrong = [
        (name_of(file), name)
        for file in (each for each in CODE if each.is_relative_to(ROOT / part))
        for name in named.findall(file.read_text(encoding="utf-8"))
        if not (ROOT / name).exists()
    ]
    assert wrong == []


def test_every_page_and_heading_that_code_cites_is_there() -> None:
    wrong, cited = [], 0
    for file in CODE:
        for page, headings in _CITED.findall(" ".join(file.read_text(encoding="utf-8").split())):
            told = (ROOT / "docs" / page).read_text(encoding="utf-8") if (ROOT / "docs" / page).is_file() else ""
            for heading in re.findall(r'"([^"]+)"', headings):
                cited += 1
                if not re.search(rf"^#+ {re.escape(heading)}$", told, re.MULTILINE):
                    wrong.append(f"{name_of(file)}: {page} ({heading})")
    assert wrong == []
    assert cited > 50
