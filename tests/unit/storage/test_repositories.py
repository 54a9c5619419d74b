"""What each area asks of its rows, on both databases."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from storage.areas.complaints import ComplaintFilter, Complaints, Progress
from storage.areas.configuration import ComplaintRoute, Configuration, Policy, Program
from storage.areas.people import People, PersonState
from storage.areas.refunds import COUNTS_AS_SPENT, RefundProgress, Refunds
from storage.core.audit import Audit, AuditEntry, AuditHead, entries
from storage.core.effects import Effects, EffectState
from storage.core.inbox import Inbox, InboxState
from storage.core.schedule import Deadlines, Schedules
from storage.database import Database
from tests.rows import NAME, NOW, PHONE, company, complaint, person, refund

HOUR = timedelta(hours=1)

# --- complaints --------------------------------------------------------------------------------


@pytest.fixture
def listed(database: Database) -> Database:
    with database.write() as session:
        chen, li = person(session, "ou_chen", "陈晨"), person(session, "ou_li", "李雷")
        complaint(session, "waits", phone=PHONE)
        complaint(session, "urgent", complained_at=NOW - 80 * HOUR, claimed_by=chen.id, phone="13900000000")
        complaint(
            session, "answered", complained_at=NOW - 30 * HOUR, claimed_by=li.id, progress=Progress.ANSWERED,
            first_replied_at=NOW - 29 * HOUR, phone="13900000001",
        )  # fmt: skip
        complaint(session, "over", progress=Progress.FINISHED, finished_at=NOW, first_replied_at=NOW, phone=PHONE)
        complaint(session, "elsewhere", chat_id="oc_other", program_key="app", complained_at=NOW - HOUR, phone="1")
    return database


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        (ComplaintFilter(), ["urgent", "answered", "elsewhere", "waits"]),
        (ComplaintFilter(open_only=False), ["elsewhere", "over", "answered", "urgent", "waits"]),
        (ComplaintFilter(chat_id="oc_pay"), ["urgent", "answered", "waits"]),
        (ComplaintFilter(programs=("app",)), ["elsewhere"]),
        (ComplaintFilter(programs=()), []),
        (ComplaintFilter(claimed_by=1), ["urgent"]),
        (ComplaintFilter(unclaimed=True), ["elsewhere", "waits"]),
        (ComplaintFilter(overdue_at=NOW), ["urgent"]),
        (ComplaintFilter(overdue_at=NOW + 24 * HOUR), ["urgent", "elsewhere", "waits"]),
        (ComplaintFilter(overdue_at=NOW + 42 * HOUR), ["urgent", "answered", "elsewhere", "waits"]),
        (ComplaintFilter(phone=PHONE), ["waits"]),
        (ComplaintFilter(phone=PHONE, open_only=False), ["over", "waits"]),
        (ComplaintFilter(phone=PHONE[:-1]), []),
        (ComplaintFilter(chat_id="oc_pay", unclaimed=True, overdue_at=NOW), []),
    ],
)
def test_each_filter_of_the_list(listed: Database, filter: ComplaintFilter, expected: list[str]) -> None:
    with listed.read() as session:
        found, total = Complaints(session).listed(filter, offset=0, limit=50)
    assert [row.external_id for row in found] == expected
    assert total == len(expected)


def test_pages_hold_everything_once(listed: Database) -> None:
    with listed.read() as session:
        pages = [Complaints(session).listed(ComplaintFilter(), offset=at, limit=3) for at in (0, 3, 6)]
    assert [len(page) for page, _ in pages] == [3, 1, 0]
    assert {total for _, total in pages} == {4}
    assert [row.external_id for page, _ in pages for row in page] == ["urgent", "answered", "elsewhere", "waits"]


def test_what_nobody_pages_through_is_not_counted(listed: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.areas.complaints.COUNTED", 2)
    with listed.read() as session:
        found, total = Complaints(session).listed(ComplaintFilter(open_only=False), offset=3, limit=50)
    assert total == 3, "one more than is counted says that there are more"
    assert len(found) == 2


def test_many_are_looked_up_at_once_by_the_ids_of_their_account(listed: Database) -> None:
    with listed.read() as session:
        known = Complaints(session).by_externals("pay-main", ["waits", "over", "nobody"])
        assert sorted(known) == ["over", "waits"]
        assert known["over"].progress == Progress.FINISHED
        assert Complaints(session).by_externals("another", ["waits"]) == {}


def test_the_numbers_of_a_day(listed: Database) -> None:
    with listed.read() as session:
        counts = Complaints(session).counts("oc_pay", NOW - HOUR, NOW + HOUR)
        assert (counts.arrived, counts.finished, counts.answered, counts.answered_late, counts.finished_late) == (
            2, 1, 1, 0, 0,
        )  # fmt: skip
        until_now = Complaints(session).counts("oc_pay", NOW - HOUR, NOW)
        assert (until_now.arrived, until_now.finished) == (0, 0), "a moment belongs to the day that it begins"
        assert Complaints(session).open_count("oc_pay") == 3
        assert [row.external_id for row in Complaints(session).claimed_open(1)] == ["urgent"]
        assert sorted(Complaints(session).open_external_ids("pay-main")) == ["answered", "elsewhere", "urgent", "waits"]


# --- refunds -----------------------------------------------------------------------------------


@pytest.mark.parametrize("progress", list(RefundProgress))
def test_what_counts_against_a_payment(database: Database, progress: RefundProgress) -> None:
    with database.write() as session:
        row, who = complaint(session), person(session)
        refund(session, row, who, "one", 100, progress=progress)
        refund(session, row, who, "paid", 30, progress=RefundProgress.PAID)
        refund(session, row, who, "other order", 7000, progress=RefundProgress.PAID, transaction_id="another")
        refund(session, row, who, "other account", 9000, progress=RefundProgress.PAID, account_key="pay-2")
    with database.read() as session:
        committed = Refunds(session).committed_fen("pay-main", "4200001")
    nothing_moved = progress in (RefundProgress.DROPPED, RefundProgress.FAILED)
    assert committed == (30 if nothing_moved else 130)
    assert (progress in COUNTS_AS_SPENT) is not nothing_moved


def test_refunds_paid_in_a_chat_and_a_span(database: Database) -> None:
    with database.write() as session:
        here, there, who = complaint(session, "a"), complaint(session, "b", chat_id="oc_x"), person(session)
        paid = RefundProgress.PAID
        refund(session, here, who, "1", 100, progress=paid, settled_at=NOW)
        refund(session, here, who, "2", 200, progress=paid, settled_at=NOW - HOUR)
        refund(session, here, who, "3", 400, progress=RefundProgress.FAILED, settled_at=NOW)
        refund(session, there, who, "4", 800, progress=paid, settled_at=NOW)
    with database.read() as session:
        refunds = Refunds(session)
        assert refunds.paid_in_chat("oc_pay", NOW - HOUR, NOW) == (1, 200)
        assert refunds.paid_in_chat("oc_pay", NOW - HOUR, NOW + HOUR) == (2, 300)
        assert refunds.paid_in_chat("oc_none", NOW - HOUR, NOW + HOUR) == (0, 0)
        assert [row.out_refund_no for row in refunds.in_states(paid)] == ["1", "2", "4"]
        found = refunds.by_number("3")
        assert found is not None
        assert found.amount_fen == 400


def test_one_idempotency_key_is_of_one_refund(database: Database) -> None:
    with database.write() as session:
        refund(session, complaint(session), person(session), "same", 100)
    with pytest.raises(Exception, match="out_refund_no"), database.write() as session:
        refund(session, complaint(session, "b"), person(session), "same", 100)


# --- effects -----------------------------------------------------------------------------------


def test_an_effect_remembers_that_it_was_begun(database: Database) -> None:
    def begin() -> bool:
        with database.write() as session:
            return Effects(session).begin("k", action="a", account_key="p", subject="s", request={}, at=NOW)[1]

    assert [begin(), begin(), begin()] == [False, True, True]
    with database.write() as session:
        effects = Effects(session)
        assert effects.unsettled(NOW + HOUR) == 1
        assert effects.unsettled(NOW) == 0
        effects.settle("k", EffectState.UNKNOWN, NOW)
        assert effects.unsettled(NOW + HOUR) == 1
        effects.settle("k", EffectState.DONE, NOW, "x" * 500)
        effects.settle("never begun", EffectState.DONE, NOW)
    with database.read() as session:
        effect = Effects(session).get("k")
        assert effect is not None
        assert (effect.attempts, effect.state, len(effect.error or "")) == (3, EffectState.DONE, 200)
        assert Effects(session).unsettled(NOW + HOUR) == 0


# --- set-up ------------------------------------------------------------------------------------


def test_the_policy_of_a_program_goes_before_the_general_one(database: Database) -> None:
    with database.write() as session:
        company(session)
        session.add(
            Policy(
                action="refund.create", scope="mall", quorum=3, approvers="owner", deadline_seconds=60, escalate=None
            )
        )
    with database.read() as session:
        configuration = Configuration(session)
        special, general = configuration.policy("refund.create", "mall"), configuration.policy("refund.create", "app")
        assert special is not None
        assert general is not None
        assert (special.quorum, general.quorum) == (3, 1)
        assert configuration.policy("release.publish", "mall") is None


def test_where_the_complaints_of_an_account_go(database: Database) -> None:
    def route() -> tuple[str, str] | None:
        with database.read() as session:
            found = Configuration(session).route("pay-main")
            return None if found is None else (found.program_key, found.chat_id)

    assert route() is None
    with database.write() as session:
        session.add(Program(key="app", account_key="other", name="n", chat_id="oc_app", owner=None))
    assert route() == ("app", "oc_app"), "the only program there is"
    with database.write() as session:
        session.add(Program(key="web", account_key="other", name="n", chat_id="oc_web", owner=None))
    assert route() is None, "two, and neither is of this account"
    with database.write() as session:
        session.add(Program(key="mall", account_key="pay-main", name="n", chat_id="oc_mall", owner=None))
    assert route() == ("mall", "oc_mall")
    with database.write() as session:
        session.add(ComplaintRoute(account_key="pay-main", program_key="web", chat_id="oc_declared"))
    assert route() == ("web", "oc_declared")


# --- people ------------------------------------------------------------------------------------


def test_roles_of_people(database: Database) -> None:
    with database.write() as session:
        people = People(session)
        row = person(session, "ou_a", "ou_a", ("operator", "mall"), ("operator", "*"), ("viewer", "app"))
        assert people.grant(row, "operator", "mall", at=NOW, source="file") is False
        assert people.ensure("ou_a", name=NAME, at=NOW).name == NAME, "a name is better than an id"
        assert people.ensure("ou_a", name="ou_a", at=NOW).name == NAME
        assert [p.id for p in people.holding("operator", "app")] == [row.id], "who holds it everywhere holds it there"
        assert people.holding("viewer", "mall") == []
        assert people.revoke(row, "operator", "mall") == 1
        assert people.revoke(row, "operator", "mall") == 0
        assert people.revoke(row, "operator") == 1
        assert people.leave(row, NOW) == 1
        assert people.holding("viewer", "app") == []
    with database.read() as session:
        found = People(session).by_open_id("ou_a")
        assert found is not None
        assert (found.state, found.left_at, found.roles) == (PersonState.LEFT, NOW, [])


# --- what time brings --------------------------------------------------------------------------


def test_a_deadline_comes_due_is_met_and_starts_anew(database: Database) -> None:
    with database.write() as session:
        deadlines = Deadlines(session)
        deadlines.set("reply", "1", NOW + 4 * HOUR, NOW)
        deadlines.set("reply", "2", NOW + HOUR, NOW + HOUR)
        assert [row.subject for row in deadlines.due(NOW)] == ["1"]
        assert [row.subject for row in deadlines.due(NOW + HOUR)] == ["1", "2"], "the oldest first"
        assert deadlines.oldest_overdue(NOW + 2 * HOUR) == NOW + HOUR
        first = deadlines.get("reply", "1")
        assert first is not None
        id, first.stage = first.id, 2
        deadlines.meet("reply", "1", NOW)
        deadlines.meet("reply", "1", NOW + HOUR)
        assert (first.done_at, first.stage) == (NOW, 2), "what was met stays met then"
        assert [row.subject for row in deadlines.due(NOW + 9 * HOUR)] == ["2"]
        deadlines.set("reply", "1", NOW + 9 * HOUR, NOW + 8 * HOUR)
        assert (first.id, first.stage, first.done_at) == (id, 0, None), "also where it was looked at before"
        assert (first.due_at, first.next_at) == (NOW + 9 * HOUR, NOW + 8 * HOUR)
        deadlines.meet("never set", "1", NOW)


def test_the_last_run_of_a_schedule_never_goes_back(database: Database) -> None:
    with database.write() as session:
        runs = Schedules(session)
        assert runs.last_run("digest") is None
        runs.ran("digest", NOW)
        runs.ran("digest", NOW - HOUR)
        assert runs.last_run("digest") == NOW
        runs.ran("digest", NOW + HOUR)
        assert runs.last_run("digest") == NOW + HOUR
        runs.forget("digest")
        runs.forget("digest")
        session.flush()
        assert runs.last_run("digest") is None


def test_heartbeats(database: Database) -> None:
    with database.write() as session:
        runs = Schedules(session)
        runs.beat("w-0", NOW)
        runs.beat("w-1", NOW - HOUR)
        runs.beat("w-0", NOW + HOUR)
        session.flush()
        assert runs.silent(NOW) == ["w-1"]
        assert runs.alive(NOW) == ["w-0"]
        runs.buried("w-1")
        session.flush()
        assert runs.silent(NOW) == []


def test_the_inbox_counts_what_waits_and_finds_what_was_forgotten(database: Database) -> None:
    with database.write() as session:
        inbox = Inbox(session)
        for number in range(3):
            assert inbox.store(id=str(number), source="feishu", kind="k", body="b", at=NOW + number * HOUR)
        assert inbox.waiting() == (3, NOW)
        assert [item.id for item in inbox.stale(NOW + 2 * HOUR)] == ["0", "1"]
        inbox.settle("0", InboxState.FAILED, NOW, "incident")
        inbox.settle("1", InboxState.DONE, NOW)
        inbox.settle("unknown", InboxState.DONE, NOW)
        session.flush()
        assert inbox.waiting() == (1, NOW + 2 * HOUR)
        assert inbox.take("0") is None
        assert inbox.take("unknown") is None
        assert not inbox.store(id="0", source="feishu", kind="k", body="again", at=NOW)
    with database.read() as session:
        item = Inbox(session).get("0")
        assert item is not None
        assert (item.body, item.incident) == ("b", "incident")


# --- audit -------------------------------------------------------------------------------------


def _reseal(session: Session, database: Database) -> None:
    """Even somebody who can seal values has no key of the chain."""
    session.get_one(AuditEntry, 2).params = {"n": 99}


def _insert(session: Session, database: Database) -> None:
    forged = Audit(session, b"a guessed key")
    forged.add(at=NOW, actor_id=None, event="refund.paid", subject="complaint:1", params={"n": 6})
    assert session.get_one(AuditHead, 1).last_id == 6


def _swap(session: Session, database: Database) -> None:
    first, second = session.get_one(AuditEntry, 2), session.get_one(AuditEntry, 3)
    first.subject, second.subject = second.subject, first.subject


def _run(statement: str) -> Callable[[Session, Database], object]:
    return lambda session, database: session.execute(text(statement))


@pytest.mark.parametrize(
    ("tamper", "broken_at"),
    [
        (_reseal, 2),
        (_swap, 2),
        (_insert, 6),
        (_run("UPDATE audit SET actor_id = 7 WHERE id = 3"), 3),
        (_run("UPDATE audit SET event = 'refund.paid2' WHERE id = 3"), 3),
        (_run("UPDATE audit SET at = '2026-01-01 00:00:00' WHERE id = 4"), 4),
        (_run("UPDATE audit SET params = '{}' WHERE id = 4"), 4),
        (_run("UPDATE audit SET previous = hash WHERE id = 4"), 4),
        (_run("DELETE FROM audit WHERE id = 1"), 2),
        (_run("DELETE FROM audit WHERE id = 3"), 4),
        (_run("DELETE FROM audit WHERE id = 5"), 0),
        (_run("DELETE FROM audit"), 0),
        (_run("UPDATE audit SET id = 50 WHERE id = 5"), 50),
        (_run("UPDATE audit_head SET last_id = 4"), 0),
        (_run("SELECT 1"), None),
    ],
)  # fmt: skip
def test_what_was_done_to_the_audit_is_found(
    database: Database, tamper: Callable[[Session, Database], object], broken_at: int | None
) -> None:
    key = database.vault.subkey("audit")
    with database.write() as session:
        for number in range(5):
            Audit(session, key).add(
                at=NOW, actor_id=1, event="refund.paid", subject=f"complaint:{number}", params={"n": number}
            )
    with database.write() as session:
        tamper(session, database)
    with database.read() as session:
        assert Audit(session, key).verify().broken_at == broken_at


def test_the_newest_entries_of_a_story(database: Database) -> None:
    with database.write() as session:
        for number in range(6):
            Audit(session, b"k").add(
                at=NOW, actor_id=None, event="x", subject=f"complaint:{number % 2}", params={"n": number}
            )
    with database.read() as session:
        assert [entry.id for entry in entries(session, None, 4)] == [6, 5, 4, 3]
        assert [entry.id for entry in entries(session, "complaint:1", 2)] == [6, 4]
        assert [entry.id for entry in entries(session, "complaint:1", 5, before=4)] == [2]
        assert json.dumps([entry.params["n"] for entry in Audit(session, b"k").all()]) == "[0, 1, 2, 3, 4, 5]"


def test_an_empty_audit_is_whole_and_stopping_early_leaves_nothing_open(database: Database) -> None:
    with database.read() as session:
        assert Audit(session, b"k").verify().broken_at is None
    with database.write() as session:
        for _ in range(3):
            Audit(session, b"k").add(at=NOW, actor_id=None, event="x", subject="y", params={})
    with database.read() as session:
        assert next(iter(Audit(session, b"k").all())).id == 1
        assert session.scalar(select(AuditEntry.id).where(AuditEntry.id == 3)) == 3
    with database.write() as session:
        session.execute(delete(AuditEntry))
