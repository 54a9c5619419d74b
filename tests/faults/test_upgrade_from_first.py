"""From an old version (7158a98) to this one: what was under way goes on, on the cards that stand.

The old version is its own source tree out of the history. Where that is missing this is skipped, or fails where
nothing may be skipped (MPOPS_REQUIRE_ALL).
"""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path

import pytest

from sandbox.faults import CallFault, Fault
from storage.database import Database
from storage.migrate import current, newest
from tests.faults.path import nudged, whole
from tests.faults.postgres import Postgres
from tests.faults.rolling import Rolling, roll
from tests.faults.staff import Shown, Staff
from tests.faults.stage import APP, Stage, wait_for
from tests.trees import NoHistory, older_app

pytestmark = pytest.mark.timeout(420)

OLD = "7158a98"


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    try:
        return older_app(OLD, tmp_path_factory.mktemp("old"))
    except NoHistory as missing:
        if os.environ.get("MPOPS_REQUIRE_ALL"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))


def under_way(stage: Stage, staff: Staff) -> list[Shown]:
    """An approval that waits, a form that is open, a complaint nobody took; an answer on its way. The first's cards."""
    asked, open_form, _, answering = (staff.complaint() for _ in range(4))
    wait_for(lambda: all(staff.cards(ticket) for ticket in staff.tickets), 60, "a card for each")
    staff.bring(asked, lambda: any("同意" in card.buttons for card in staff.approvals(asked)))
    for ticket in (open_form, answering):
        staff.bring(ticket, lambda ticket=ticket: "发送回复" in staff.cards(ticket, title="投诉 C")[0].buttons)
    # It takes effect, and whoever waits for the answer is gone before it comes.
    late = stage.sandbox.world.faults.add(Fault("wechatpay", CallFault.LATE, "/response", seconds=6.0))
    staff.bring(answering, lambda: late.struck)
    return [*staff.cards(asked, title="投诉 C"), *staff.approvals(asked)]


def assert_the_same_cards_were_used(staff: Staff, before: list[Shown]) -> None:
    asked = staff.tickets[0]
    now = {card.message_id: card for card in (*staff.cards(asked), *staff.approvals(asked))}
    assert all(card.message_id in now for card in before), "cards of the old version were left standing"
    assert not any("同意" in card.buttons for card in now.values())
    assert "已完结" in now[before[0].message_id].tags


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_one_process_is_replaced(tmp_path: Path, old: list[str], how: signal.Signals) -> None:
    with Stage(tmp_path / "stage", app=old) as stage:
        staff = Staff(stage.sandbox, stage.company, random.Random(11))
        before = under_way(stage, staff)
        stage.replace(APP, how)
        staff.work_off(240, nudged(stage))
        whole(stage, staff)
        assert_the_same_cards_were_used(staff, before)
        database = Database(stage.database_url)
        assert current(database) == newest()
        database.close()
    log = (stage.folder / "bot.log").read_text()
    assert [wrong for wrong in ("Traceback", "job.unknown", "card.refused") if wrong in log] == []


def test_processes_are_replaced_one_after_another(tmp_path: Path, old: list[str], postgres: Postgres) -> None:
    with Rolling(tmp_path / "stage", postgres.database(), old, APP) as fleet:
        staff = Staff(fleet.sandbox, fleet.company, random.Random(12))
        before = under_way(fleet, staff)
        roll(fleet, staff, newest())
        whole(fleet, staff)
        assert_the_same_cards_were_used(staff, before)
