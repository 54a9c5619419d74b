"""The audit as CSV: whatever people call themselves or type as a reason, no cell of it is a formula."""

from __future__ import annotations

import csv
import io
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.texts import catalogue
from handlers.status.export import HEADINGS, cell, write
from storage.areas.people import People
from storage.core.audit import Audit
from storage.database import Database
from tests.cli.running import MPOPS, settings
from tests.databases import migrated_url
from tests.rows import NOW, SECRET

FORMULAS = [
    '=HYPERLINK("http://evil.example","click")', "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1+1", "\r=1", "\n=1",
    "＝1+1", "＋1", "－1", "＠SUM(1)", "﹢1", "﹣1", " =1", "\u3000＝1", "\u200b=1", "\ufeff=1", "\x00=1", "=", "-",
]  # fmt: skip
HARMLESS = ["王芳", "Wang = Fang", "a+b", "1-1", "mail@example.com", "'quoted'", "", " ", "“=”", "C12"]


@pytest.mark.parametrize("words", FORMULAS)
def test_what_could_be_a_formula_is_text(words: str) -> None:
    assert cell(words) == "'" + words


@pytest.mark.parametrize("words", HARMLESS)
def test_other_text_stays_as_it_is(words: str) -> None:
    assert cell(words) == words


@given(st.text())
def test_no_text_begins_like_a_formula_and_all_of_it_stays_readable(words: str) -> None:
    made = cell(words)
    assert made.lstrip(" \u3000\u00a0\u200b\ufeff\x00")[:1] not in (
        "=",
        "+",
        "-",
        "@",
        "＝",
        "＋",
        "－",
        "＠",
        "\t",
        "\r",
        "\n",
    )
    assert made.removeprefix("'") == words.removeprefix("'")
    assert cell(made) == made


NAME, REASON = '=WEBSERVICE("http://evil.example")', "=1+1\n第二行，“引号\" ; '"


def fill(database: Database) -> None:
    with database.write() as session:
        person = People(session).ensure("ou_1", name=NAME, at=NOW)
        params = {"number": "R1", "fen": 100, "complaint": "C1", "reason": REASON}
        audit = Audit(session, database.vault.subkey("audit"))
        audit.add(at=NOW, actor_id=person.id, event="refund.asked", subject="complaint:1", params=params)
        audit.add(at=NOW, actor_id=None, event="setup.applied", subject="-setup", params={"changes": 3})


def judge(table: str) -> None:
    assert table.startswith("\ufeff"), "without this mark Excel reads it in another encoding"
    head, first, second = csv.reader(io.StringIO(table.removeprefix("\ufeff"), newline=""))
    assert tuple(head) == HEADINGS
    assert first[0] == "1"
    assert first[1].endswith("+08:00")
    assert first[2] == "'" + NAME
    assert first[4] == f"'{NAME} 为投诉 C1 申请退款 R1 ¥1.00，原因：{REASON}"
    assert second[2:4] == ["mpops", "'-setup"]


def test_the_table(database: Database) -> None:
    fill(database)
    file = io.StringIO(newline="")
    with database.read() as session:
        write(Audit(session, b"").all(), People(session), catalogue(), "zh_cn", "Asia/Shanghai", file)
    judge(file.getvalue())


def test_the_command(tmp_path: Path) -> None:
    url = migrated_url("sqlite", tmp_path)
    database = Database(url)
    database.unlock([SECRET])
    fill(database)
    database.close()
    ran = subprocess.run(
        [*MPOPS, "audit", "export", "--csv"], env=settings(url), capture_output=True, timeout=60, check=True
    )
    assert ran.stdout.count(b"\r\n") == 3, "as RFC 4180 has it, on any system"
    judge(ran.stdout.decode())
