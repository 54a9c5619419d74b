"""After a restore: what is unfinished is enqueued, and what may have been done since is looked at first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from dbos import DBOSClient, DBOSPortableJSONSerializer
from sqlalchemy.orm import Session

from bot.jobs.engine import NAME, Engine
from handlers.cli.resume import resume
from handlers.complaints.jobs import RETRY_REPLY
from storage.areas.complaints import ComplaintReply, Complaints, Progress, ReplyState
from storage.areas.refunds import RefundProgress
from storage.core.effects import Effects, EffectState
from storage.core.inbox import Inbox, InboxState
from storage.core.outbox import OutboxMessage, OutboxState, PostedCard
from storage.core.schedule import Deadlines
from storage.database import Database
from tests.house import all_areas
from tests.rows import NOW, company, complaint, person, refund

pytestmark = pytest.mark.both_databases


@pytest.fixture
def engine(database: Database) -> Iterator[Engine]:
    engine = Engine(database, "restore")
    engine.migrate()
    engine.start(execute=False)
    yield engine
    engine.stop()


def resumed(database: Database, engine: Engine) -> dict[str, str]:
    """Resume, and what is enqueued then: id to queue."""
    with database.write() as session:
        resume(session, engine, NOW, all_areas())
    client = DBOSClient(
        system_database_engine=database.system, serializer=DBOSPortableJSONSerializer(), application_name=NAME
    )
    found = {each.workflow_id: each.queue_name or "" for each in client.list_workflows(status="ENQUEUED")}
    client.destroy()
    return found


def reply(session: Session, complaint_id: int, by: int, state: ReplyState) -> ComplaintReply:
    return Complaints(session).add_reply(
        ComplaintReply(complaint_id=complaint_id, person_id=by, words="您好", state=state, written_at=NOW)
    )


def test_of_a_finished_day_nothing_is_enqueued(database: Database, engine: Engine) -> None:
    with database.write() as session:
        company(session)
        who = person(session)
        done = complaint(session, progress=Progress.FINISHED, picture_urls=["https://a/b"])
        reply(session, done.id, who.id, ReplyState.SENT)
        reply(session, done.id, who.id, ReplyState.REFUSED)
        for number, progress in enumerate(RefundProgress):
            if progress is not RefundProgress.APPROVED:
                refund(session, done, who, f"r{number}", 1, progress=progress)
        Inbox(session).store(id="feishu:1", source="feishu", kind="im", body="b", at=NOW)
        Inbox(session).settle("feishu:1", InboxState.DONE, NOW)
    assert resumed(database, engine) == {}


def test_what_came_in_is_worked_off(database: Database, engine: Engine) -> None:
    with database.write() as session:
        for id in ("feishu:1", "notify:pay-main:2"):
            Inbox(session).store(id=id, source="feishu", kind="im", body="b", at=NOW)
    assert resumed(database, engine) == {"feishu:1": "interactive", "notify:pay-main:2": "interactive"}


def test_an_answer_that_was_about_to_be_sent_is_looked_for_first(database: Database, engine: Engine) -> None:
    with database.write() as session:
        company(session)
        who, row = person(session), complaint(session)
        written = [reply(session, row.id, who.id, ReplyState.SENDING).id for _ in range(2)]
        # The second has a timer of its own already: two senders at once could send it twice.
        Deadlines(session).set(RETRY_REPLY, str(written[1]), NOW, NOW)
    assert resumed(database, engine) == {f"reply-{written[0]}": "channel_wechatpay"}
    with database.read() as session:
        for id in written:
            effect = Effects(session).get(f"reply:{id}")
            assert effect is not None, "as if it had been begun: the job then reads the history before it sends"
            assert effect.state == EffectState.UNKNOWN


def test_an_approved_refund_is_asked_after_first(database: Database, engine: Engine) -> None:
    with database.write() as session:
        company(session)
        row = refund(
            session, complaint(session), person(session), "mpops-1", 100, progress=RefundProgress.APPROVED, attempts=1
        )
        assert row.id == 1
    assert resumed(database, engine) == {"refund-1-1": "channel_wechatpay"}
    with database.write() as session:
        _, begun_before = Effects(session).begin(
            "refund:mpops-1", action="refund.create", account_key="pay-main", subject="complaint:1", request={}, at=NOW
        )
        assert begun_before, "the job then asks the channel before it pays"


def test_an_effect_that_was_begun_stays_as_it_was(database: Database, engine: Engine) -> None:
    with database.write() as session:
        company(session)
        refund(session, complaint(session), person(session), "mpops-1", 1, progress=RefundProgress.APPROVED, attempts=2)
        Effects(session).begin(
            "refund:mpops-1", action="refund.create", account_key="p", subject="s", request={"fen": 1}, at=NOW
        )
    resumed(database, engine)
    with database.read() as session:
        effect = Effects(session).get("refund:mpops-1")
        assert effect is not None
        assert (effect.state, effect.attempts, effect.request) == (EffectState.STARTED, 1, {"fen": 1})


def test_a_complaint_that_was_being_finished_and_pictures_that_were_not_fetched(
    database: Database, engine: Engine
) -> None:
    with database.write() as session:
        company(session)
        finishing = complaint(session, "a", progress=Progress.FINISHING)
        pictured = complaint(session, "b", picture_urls=["https://a/b"])
        complaint(session, "c", picture_urls=["https://a/b"], picture_keys=["img_1"])
        expected = {f"complete-{finishing.id}-1-{finishing.row_version}", f"pictures-{pictured.id}"}
    assert set(resumed(database, engine)) == expected


def test_messages_go_out_and_the_cards_that_stand_are_drawn_again(database: Database, engine: Engine) -> None:
    def card(message_id: str | None, days: int, *, retired: bool = False) -> PostedCard:
        posted = NOW - timedelta(days=days)
        return PostedCard(
            kind="complaint", subject="1", params={}, receiver="chat:oc_pay", partition="lane", message_id=message_id,
            posted_at=posted if message_id else None, created_at=posted, drawn="as it was", retired=retired,
        )  # fmt: skip

    with database.write() as session:
        rows = [card("om_1", 1), card("om_old", 14), card("om_x", 1, retired=True), card(None, 1)]
        session.add_all(rows)
        session.flush()
        ids = [row.id for row in rows]
        for state in (OutboxState.WAITING, OutboxState.SENT, OutboxState.FAILED):
            sent = OutboxMessage(
                partition="lane", receiver="chat:oc_pay", card_id=ids[-1], state=state, created_at=NOW, due_at=NOW
            )
            session.add(sent)
            session.flush()  # one after the other: the first of them is the message that waits
    assert resumed(database, engine) == {"deliver-1": "cards"}
    with database.read() as session:
        drawn = [session.get_one(PostedCard, id) for id in ids]
        assert [(row.drawn, row.refresh_at) for row in drawn] == [
            (None, NOW), ("as it was", None), ("as it was", None), ("as it was", None),
        ], "only one that can still be changed; an older one would be posted anew"  # fmt: skip


def test_a_restore_that_fails_enqueues_nothing(database: Database, engine: Engine) -> None:
    with database.write() as session:
        Inbox(session).store(id="feishu:1", source="feishu", kind="im", body="b", at=NOW)

    def fails() -> None:
        with database.write() as session:
            resume(session, engine, NOW, all_areas())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    with database.write() as session:
        Inbox(session).settle("feishu:1", InboxState.DONE, NOW)
    assert resumed(database, engine) == {}
