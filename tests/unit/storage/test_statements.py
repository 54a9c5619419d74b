"""How much the database is asked for one complaint: each statement is a way to the server and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from adapters.values import Author, ComplaintDetails, ComplaintState, HistoryEntry
from bot.jobs.engine import Engine
from bot.unit import Units
from handlers.complaints.sync import merge
from storage.areas.complaints import Complaint, Complaints
from storage.areas.configuration import ComplaintRoute
from storage.core.audit import Audit
from storage.core.outbox import Outbox
from storage.core.schedule import Deadlines
from storage.database import Database
from tests.house import units_of
from tests.rows import NOW, OPENID, PHONE, company
from tests.transactions import statements

TOLD = ComplaintDetails(
    id="200000020", state=ComplaintState.PENDING, raw_state="PENDING", created_at=NOW, text="杯子漏水", problem="退款",
    problem_type="REFUND", merchant_id="1900000109", payer_phone=PHONE, payer_openid=OPENID, user_waits=True,
)  # fmt: skip


@dataclass
class Hand:
    """A clock that is moved by hand."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def units(database: Database) -> Iterator[Units]:
    engine = Engine(database, "web-0")
    engine.migrate()
    engine.start(execute=False)
    with database.write() as session:
        company(session)
        session.add(ComplaintRoute(account_key="pay-main", program_key="mall", chat_id="oc_pay"))
    yield units_of(database, engine, Hand())
    engine.stop()


def steps(count: int) -> list[HistoryEntry]:
    return [
        HistoryEntry(f"e{step}", NOW + timedelta(seconds=step), Author.CUSTOMER, "USER_CREATE_COMPLAINT", f"{step}")
        for step in range(count)
    ]


def read(units: Units, told: ComplaintDetails, history: Sequence[HistoryEntry]) -> list[str]:
    with statements(units.database) as heard, units.write("read") as unit:
        merge(unit, "pay-main", "wechatpay", told, history, unit.now)
    return heard


def test_a_new_complaint_is_stored_whole_and_asks_for_nothing_twice(units: Units) -> None:
    read(units, TOLD, steps(1))  # the first entry of all begins the audit
    heard = read(units, replace(TOLD, id="another"), steps(4))
    assert len(heard) == len(set(heard))
    assert len(heard) <= (12 if units.database.is_sqlite else 14), "\n".join(heard)
    with units.read() as session:
        complaint = Complaints(session).by_external("pay-main", "another")
        assert complaint is not None
        assert (complaint.row_version, complaint.phone, complaint.chat_id) == (1, PHONE, "oc_pay")
        assert [entry.words for entry in Complaints(session).entries(complaint.id)] == ["0", "1", "2", "3"]
        due = [Deadlines(session).get(kind, "2") for kind in ("complaint.first_reply", "complaint.finish")]
        assert [row.due_at for row in due if row] == [complaint.first_reply_due, complaint.finish_due]
        (card,) = Outbox(session).cards_of("complaint", "2")
        assert Outbox(session).waiting() == (2, NOW)
        assert card.receiver == "chat:oc_pay"
        verdict = Audit(session, units.database.vault.subkey("audit")).verify()
        assert (verdict.checked, verdict.broken_at) == (2, None)


def test_a_complaint_read_again_is_looked_at_and_its_time_noted(units: Units, database: Database) -> None:
    read(units, TOLD, steps(4))
    heard = read(units, TOLD, steps(4))
    assert [statement.split()[0] for statement in heard] == ["SELECT", "SELECT", "UPDATE"]
    with database.read() as session:
        assert session.get_one(Complaint, 1).row_version == 1


def test_old_news_are_left_out_also_by_whoever_stood_still(units: Units) -> None:
    """A process that is frozen between its look at the clock and at the row finds times that are to come by its own."""
    clock = units.clock
    assert isinstance(clock, Hand)
    began = clock.at
    read(units, TOLD, steps(1))
    with units.write("thawed") as unit:
        frozen = unit.now
        complaint = Complaints(unit.session).by_external("pay-main", TOLD.id)
        assert complaint is not None
        complaint.synced_at = began + timedelta(seconds=40)  # another process read it meanwhile
        clock.at = began + timedelta(seconds=41)
        merge(unit, "pay-main", "wechatpay", replace(TOLD, raw_state="OLD"), steps(1), frozen)
        assert complaint.remote_state == "PENDING"
        clock.at = began  # and a time that is to come by the clock itself was noted before that jumped back
        merge(unit, "pay-main", "wechatpay", replace(TOLD, raw_state="NEW"), steps(1), frozen)
        assert complaint.remote_state == "NEW"


def test_what_came_since_is_stored_and_drawn_once(units: Units) -> None:
    read(units, TOLD, steps(2))
    with units.write("sent") as unit:
        message = Outbox(unit.session).get(1)
        assert message is not None
        message.state, message.sent_at = "sent", NOW
    for _ in range(2):
        read(units, TOLD, steps(4))
    with units.read() as session:
        assert [entry.external_id for entry in Complaints(session).entries(1)] == ["e0", "e1", "e2", "e3"]
        assert Outbox(session).waiting()[0] == 1
