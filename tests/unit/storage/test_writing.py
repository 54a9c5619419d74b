"""What is written without looking first: one row where two write at once, and what the session holds stays true."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from storage.areas.complaints import Complaint, Complaints, Entry
from storage.core.outbox import Outbox, OutboxMessage, OutboxState, PostedCard
from storage.core.schedule import Deadline, Deadlines
from storage.database import Database
from tests.rows import NOW, complaint
from tests.transactions import together

HOUR = timedelta(hours=1)


def test_the_deadlines_of_one_item_are_set_together(database: Database) -> None:
    with database.write() as session:
        deadlines = Deadlines(session)
        deadlines.set("reply", "1", NOW, NOW)
        deadlines.meet("reply", "1", NOW)
        deadlines.set("reply", "2", NOW + 2 * HOUR, NOW - HOUR)
        deadlines.set_all("1", {"reply": (NOW + 4 * HOUR, NOW), "finish": (NOW + 8 * HOUR, NOW + HOUR)})
    with database.read() as session:
        deadlines = Deadlines(session)
        assert [(row.kind, row.subject, row.due_at, row.done_at) for row in deadlines.due(NOW + HOUR)] == [
            ("reply", "2", NOW + 2 * HOUR, None), ("reply", "1", NOW + 4 * HOUR, None),
            ("finish", "1", NOW + 8 * HOUR, None),
        ]  # fmt: skip


def test_a_deadline_that_many_set_at_once_is_one(database: Database) -> None:
    def start(number: int) -> None:
        with database.write() as session:
            Deadlines(session).set("reply", "1", NOW + number * HOUR, NOW + number * HOUR)

    together(6, start)
    with database.read() as session:
        (row,) = session.scalars(select(Deadline))
        assert (row.stage, row.done_at) == (0, None)
        assert row.due_at == row.next_at


def test_a_deadline_is_met_once_by_many(database: Database) -> None:
    with database.write() as session:
        Deadlines(session).set("reply", "1", NOW, NOW)
        Deadlines(session).meet("reply", "1", NOW + HOUR)

    def meet(number: int) -> None:
        with database.write() as session:
            Deadlines(session).meet("reply", "1", NOW + (2 + number) * HOUR)

    together(4, meet)
    with database.read() as session:
        row = Deadlines(session).get("reply", "1")
        assert row is not None
        assert row.done_at == NOW + HOUR


def test_what_is_changed_in_a_deadline_before_it_is_set_anew_does_not_come_back(database: Database) -> None:
    with database.write() as session:
        deadlines = Deadlines(session)
        for subject in ("1", "2"):
            deadlines.set("reply", subject, NOW, NOW)
    with database.write() as session:
        deadlines = Deadlines(session)
        mine, other = deadlines.by_id(1), deadlines.by_id(2)
        assert mine is not None
        assert other is not None
        mine.stage = other.stage = 7
        mine.done_at = NOW
        deadlines.set("reply", "1", NOW + HOUR, NOW)
        again = deadlines.get("reply", "1")
        assert again is mine
        assert (again.stage, again.done_at, again.due_at) == (0, None, NOW + HOUR)
        mine.stage += 1
        other.stage += 1
    with database.read() as session:
        assert [row.stage for row in session.scalars(select(Deadline).order_by(Deadline.id))] == [1, 8]


def test_what_goes_out_waits_sealed_and_in_order(database: Database) -> None:
    with database.write() as session:
        outbox = Outbox(session)
        card = outbox.add_card(
            kind="complaint", subject="1", params={"page": "第二页"}, receiver="chat:oc_pay", partition="l", at=NOW
        )
        first = outbox.add(partition="l", receiver="chat:oc_pay", at=NOW, card_id=card)
        second = outbox.add(
            partition="l", receiver="chat:oc_pay", at=NOW, body="您好", reply_to="om_1", correlation_id="t"
        )
        assert outbox.refresh_waits(card)
    with database.read() as session:
        posted = session.get_one(PostedCard, card)
        assert (posted.params, posted.retired, posted.message_id, posted.refresh_at) == (
            {"page": "第二页"}, False, None, None,
        )  # fmt: skip
        head = Outbox(session).head("l")
        assert head is not None
        assert (head.id, head.card_id, head.state, head.attempts, head.due_at) == (
            first, card, OutboxState.WAITING, 0, NOW,
        )  # fmt: skip
        said = session.get_one(OutboxMessage, second)
        assert (said.body, said.reply_to, said.correlation_id, said.receiver) == ("您好", "om_1", "t", "chat:oc_pay")
        for column in ("receiver", "body"):
            stored = session.scalar(text(f"SELECT {column} FROM outbox WHERE id = {second}"))
            assert str(stored).startswith("k1."), "as it lies in the database"


def test_a_message_of_a_card_that_is_not_there_is_refused(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as session:
        Outbox(session).add(partition="l", receiver="chat:oc_pay", at=NOW, card_id=99)


def test_the_steps_of_a_complaint_are_kept_once(database: Database) -> None:
    def step(number: int) -> Entry:
        return Entry(f"e{number}", NOW + number * HOUR, "customer", "REPLY", f"第 {number} 句")

    with database.write() as session:
        complaints, id = Complaints(session), complaint(session).id
        complaints.add_entries(id, [])
        complaints.add_entries(id, [step(0), step(1)])
        assert complaints.entry_ids(id) == {"e0", "e1"}
        assert [entry.words for entry in complaints.entries(id)] == ["第 0 句", "第 1 句"]
        stored = session.scalar(text("SELECT words FROM complaint_entry WHERE external_id = 'e1'"))
        assert str(stored).startswith("k1.")
    with pytest.raises(IntegrityError), database.write() as session:
        Complaints(session).add_entries(id, [step(2), step(1)])
    with database.read() as session:
        assert Complaints(session).entry_ids(id) == {"e0", "e1"}


def test_telling_what_is_known_leaves_the_version_alone(database: Database) -> None:
    def tell(**values: object) -> int:
        with database.write() as session:
            Complaints(session).told(session.get_one(Complaint, 1), **values)
        with database.read() as session:
            return session.get_one(Complaint, 1).row_version

    with database.write() as session:
        version = complaint(session).row_version
    assert tell(times=1, user_waits=True, remote_state="PENDING") == version
    assert tell(times=2, user_waits=True, remote_state="PENDING") == version + 1
    with database.read() as session:
        row = session.get_one(Complaint, 1)
        assert (row.times, row.user_waits, row.remote_state) == (2, True, "PENDING")
