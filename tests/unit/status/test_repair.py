"""Stuck items: seen, tried again, put aside and taken up, twice and at once without harm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from dbos import DBOSClient, DBOSPortableJSONSerializer

from bot.area import Area, Areas
from bot.card_context import Look
from bot.cards.values import Action, Button, Buttons, Card, Fold, Items
from bot.contributions.jobs import Job
from bot.contributions.routing import Asked, Clicked, NoArguments
from bot.errors import Refused
from bot.jobs.engine import NAME
from bot.jobs.instrumented import InstrumentedEngine
from bot.telemetry.correlation import id_of
from bot.texts import text
from bot.unit import to_chat
from handlers.refunds.jobs import FOLLOW
from handlers.status import repair
from handlers.status.backlog import items, parked_items
from handlers.status.cards import STATUS, draw_status
from handlers.status.commands import CLICKS, status
from handlers.status.permissions import MANAGE, READ
from handlers.status.repair import RETRY, FailedWork
from storage.areas.refunds import RefundProgress
from storage.core.audit import entries
from storage.core.effects import Effects, EffectState
from storage.core.failed_jobs import FailedJobs, fingerprint
from storage.core.inbox import Inbox, InboxState
from storage.core.outbox import Outbox, OutboxState
from storage.core.parked_items import ParkedItems
from storage.core.processes import Processes, ProcessIdentity
from storage.core.schedule import Deadlines
from storage.database import Database
from tests.databases import drop, migrated_url
from tests.house import all_areas, units_of
from tests.rows import NOW, SECRET, company, complaint, person, refund

pytestmark = pytest.mark.both_databases

CARD_MESSAGE = "om_status"
EVENT_ID = "feishu:message:om_1"


@dataclass
class Hand:
    """A clock that is moved by hand."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


class Desk:
    """An administrator before a card of `/状态`."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = Hand()
        self.engine = InstrumentedEngine(database, "desk")
        self.engine.start(execute=False)
        self.units = units_of(database, self.engine, self.clock)
        with self.units.write("set-up") as unit:
            company(unit.session)
            who = person(unit.session, "ou_admin", "赵敏", ("admin", "*"))
            unit.send_card(STATUS, "0", to_chat("oc_pay"))
            unit.cards_of(STATUS, "0")[0].message_id = CARD_MESSAGE
            unit.session.flush()
            self.actor = unit.actor(who.open_id)
        with self.database.write() as session:
            for message in [Outbox(session).get(1)]:
                assert message is not None
                message.state = OutboxState.SENT

    def card(self) -> Card:
        with self.database.read() as session:
            card = Outbox(session).card_of_message(CARD_MESSAGE)
            assert card is not None
            return draw_status(Look(session, self.clock.now(), "0", card.params, "chat:oc_pay", self.units.areas))

    def buttons(self) -> dict[str, list[Action]]:
        """What can be pressed, by the name of the action."""
        found: dict[str, list[Action]] = {}

        def take(button: Button | None) -> None:
            if button is not None and button.action is not None:
                found.setdefault(button.action.name, []).append(button.action)

        for block in self.card().blocks:
            if isinstance(block, Buttons):
                for button in block.buttons:
                    take(button)
            if isinstance(block, Fold):
                for inner in block.blocks:
                    assert isinstance(inner, Items)
                    for item in inner.items:
                        take(item.button)
        return found

    def press(self, action: Action) -> None:
        """As the inbox does: all of it or nothing."""
        run = {
            "status.retry": repair.retry, "status.park": repair.park, "status.unpark": repair.unpark,
            "status.refresh": repair.refresh,
        }[action.name]  # fmt: skip
        with self.units.write("click") as unit:
            run(unit, Clicked(self.actor, "oc_pay", CARD_MESSAGE, action))

    def press_the_only(self, name: str) -> Action:
        (action,) = self.buttons()[name]
        self.press(action)
        return action

    def queued(self) -> dict[str, str]:
        """What is enqueued: id to job."""
        client = DBOSClient(
            system_database_engine=self.database.system,
            serializer=DBOSPortableJSONSerializer(),
            application_name=NAME,
        )
        try:
            return {
                each.workflow_id: str((each.input or {"args": [""]})["args"][0])
                for each in client.list_workflows(status="ENQUEUED")
            }
        finally:
            client.destroy()

    def audited(self) -> list[str]:
        with self.database.read() as session:
            return [entry.event for entry in entries(session, None, 20)]


@pytest.fixture
def desk(database_kind: str, tmp_path: Path) -> Iterator[Desk]:
    url = migrated_url(database_kind, tmp_path)
    database = Database(url)
    database.unlock([SECRET])
    desk = Desk(database)
    yield desk
    desk.engine.stop()
    database.close()
    drop(url)


def failed_event(desk: Desk, kind: str = "COMPLAINT.CREATE") -> None:
    with desk.database.write() as session:
        Inbox(session).store(id=EVENT_ID, source="channel:pay-main", kind=kind, body="b", at=NOW)
        Inbox(session).settle(EVENT_ID, InboxState.FAILED, NOW, "1a2b3c4d")


def state_of_event(desk: Desk) -> str:
    with desk.database.read() as session:
        item = Inbox(session).get(EVENT_ID)
        assert item is not None
        return item.state


def test_of_a_quiet_day_the_card_says_so_and_offers_nothing_but_a_new_look(desk: Desk) -> None:
    assert set(desk.buttons()) == {"status.refresh"}
    assert desk.card().blocks[0].words.key == "status.well"  # type: ignore[union-attr]  # the first block is a line


def test_a_failed_event_is_tried_again_once_however_often_somebody_presses(desk: Desk) -> None:
    failed_event(desk)
    action = desk.press_the_only("status.retry")
    assert state_of_event(desk) == InboxState.NEW
    with pytest.raises(Refused) as refused:
        desk.press(action)
    assert refused.value.reason.key == "status.moved_on"
    assert [job for job in desk.queued().values() if job == "inbox.process"] == ["inbox.process"]
    assert desk.audited() == ["status.retried"]


@pytest.mark.parametrize(("minutes", "refused"), [(29, False), (31, True)])
def test_what_a_person_wanted_long_ago_is_not_done_behind_their_back(desk: Desk, minutes: int, refused: bool) -> None:
    failed_event(desk, "card.action.trigger")
    desk.clock.at += timedelta(minutes=minutes)
    (action,) = desk.buttons()["status.retry"]
    if not refused:
        desk.press(action)
        return
    with pytest.raises(Refused) as told:
        desk.press(action)
    assert told.value.reason.key == "status.too_old"
    assert state_of_event(desk) == InboxState.FAILED


def test_an_event_that_is_not_worked_off_is_put_aside_and_taken_up_again(desk: Desk) -> None:
    with desk.database.write() as session:
        Inbox(session).store(id=EVENT_ID, source="feishu", kind="im.chat.disbanded_v1", body="b", at=NOW)
    desk.clock.at += timedelta(minutes=2)
    with desk.database.read() as session:
        (item,) = items(session, desk.clock.now(), all_areas())
    assert item.incident == id_of(EVENT_ID), "by which it is found in the log"
    action = desk.press_the_only("status.park")
    assert state_of_event(desk) == InboxState.PARKED
    with desk.database.write() as session:
        assert Inbox(session).take(EVENT_ID) is None, "nobody works it off"
        assert Inbox(session).waiting() == (0, None)
    with pytest.raises(Refused):
        desk.press(action)
    back = desk.press_the_only("status.unpark")
    assert state_of_event(desk) == InboxState.NEW
    assert "inbox.process" in desk.queued().values()
    with pytest.raises(Refused):
        desk.press(back)
    assert desk.audited() == ["status.unparked", "status.parked"]


def waiting_messages(desk: Desk) -> list[int]:
    with desk.units.write("words") as unit:
        for number in range(2):
            unit.send_card("home", str(number), to_chat("oc_pay"))
    with desk.database.read() as session:
        return [id for id in (2, 3) if Outbox(session).get(id) is not None]


def message_state(desk: Desk, id: int) -> str:
    with desk.database.read() as session:
        message = Outbox(session).get(id)
        assert message is not None
        return message.state


def test_a_chat_that_cannot_be_written_to_is_one_item_and_its_first_message_can_be_put_aside(desk: Desk) -> None:
    first, second = waiting_messages(desk)
    desk.clock.at += timedelta(minutes=3)
    with desk.database.read() as session:
        (item,) = items(session, desk.clock.now(), all_areas())
    assert item.title.params == {"chat": "支付投诉群", "n": 2}
    desk.press_the_only("status.park")
    assert message_state(desk, first) == OutboxState.PARKED
    with desk.database.read() as session:
        message = Outbox(session).get(first)
        assert message is not None
        head = Outbox(session).head(message.partition)
        assert head is not None
        assert head.id == second, "the chat goes on"
    (back,) = desk.buttons()["status.unpark"]
    desk.press(back)
    assert message_state(desk, first) == OutboxState.WAITING
    with desk.database.read() as session:
        due = Outbox(session).heads_due(desk.clock.now(), desk.clock.now() - timedelta(minutes=1))
        assert [id for _, id, _ in due] == [first], "the sweep takes it at once, in its old place"


def test_a_failed_message_is_sent_again(desk: Desk) -> None:
    first, _ = waiting_messages(desk)
    with desk.database.write() as session:
        message = Outbox(session).get(first)
        assert message is not None
        message.state, message.attempts, message.error = OutboxState.FAILED, 1, "BotNotInChat 230002"
    action = desk.press_the_only("status.retry")
    assert message_state(desk, first) == OutboxState.WAITING
    with desk.database.write() as session:
        message = Outbox(session).get(first)
        assert message is not None
        message.state = OutboxState.SENT
    with pytest.raises(Refused):
        desk.press(action)
    assert message_state(desk, first) == OutboxState.SENT


def test_a_call_without_an_outcome_is_asked_for_and_never_repeated_by_hand(desk: Desk) -> None:
    with desk.database.write() as session:
        who = person(session)
        row = refund(session, complaint(session), who, "mpops-1", 6800, progress=RefundProgress.SENDING)
        Effects(session).begin(
            "refund:mpops-1", action="refund.create", account_key="pay-main", subject="complaint:1", request={}, at=NOW
        )
        Effects(session).settle("refund:mpops-1", EffectState.UNKNOWN, NOW)
        Deadlines(session).set(FOLLOW, str(row.id), NOW + timedelta(hours=1), NOW + timedelta(hours=1))
    desk.clock.at += timedelta(minutes=10)
    action = desk.press_the_only("status.retry")
    desk.press(action)  # twice is the same question at the same moment
    with desk.database.read() as session:
        timer = Deadlines(session).get(FOLLOW, str(row.id))
        assert timer is not None
        assert timer.next_at == desk.clock.now(), "the timer asks the platform now"
    assert not [job for job in desk.queued().values() if job.startswith("refund.")], "and nothing is sent from here"
    desk.press_the_only("status.park")
    with desk.database.read() as session:
        assert items(session, desk.clock.now(), all_areas()) == []
        assert [item.subject for item in parked_items(session, desk.clock.now(), all_areas())] == ["refund:mpops-1"]
        timer = Deadlines(session).get(FOLLOW, str(row.id))
        assert timer is not None
        assert timer.done_at is None, "put aside is only the reminder: money is followed all the same"
    with desk.database.write() as session:
        Effects(session).settle("refund:mpops-1", EffectState.DONE, NOW)
    with pytest.raises(Refused):
        desk.press(action)


def test_a_failed_job_is_counted_run_again_and_gone_when_it_succeeds(desk: Desk) -> None:
    ran: list[object] = []
    broken = [True]

    def job(payload: object) -> None:
        ran.append(payload)
        if broken[0]:
            raise RuntimeError("no")

    areas = Areas(Area("broken", text("help.title"), (Job("complaint.sync", job),)))
    work = FailedWork(replace(desk.units, areas=areas))
    payload = {"account": "pay-main", "trail": "11111111"}
    for correlation_id in ("11111111", "22222222"):
        try:
            raise LookupError(correlation_id)
        except LookupError:
            work.failed("complaint.sync", {**payload, "trail": correlation_id}, correlation_id)
    key = fingerprint("complaint.sync", payload)
    with desk.database.read() as session:
        (item,) = items(session, NOW, all_areas())
    assert (item.subject, item.incident, item.title.params["n"]) == (key, "22222222", 2)
    action = desk.press_the_only("status.retry")
    with pytest.raises(Refused):
        desk.press(action)
    assert list(desk.queued().values()).count(RETRY) == 1
    try:
        work.again({"key": key})
    except RuntimeError:
        work.failed(RETRY, {"key": key}, "33333333")
    with desk.database.read() as session:
        (item,) = items(session, NOW, all_areas())
    assert (item.incident, item.title.params["n"]) == ("33333333", 3)
    broken[0] = False
    desk.press_the_only("status.retry")
    work.again({"key": key})
    work.again({"key": key})  # started again after a crash
    assert len(ran) == 2
    with desk.database.read() as session:
        assert items(session, NOW, all_areas()) == []
        assert FailedJobs(session).count(NOW - timedelta(days=1)) == 0


def test_a_silent_process_is_shown_until_somebody_removes_it(desk: Desk) -> None:
    long_ago = datetime.now(NOW.tzinfo) - timedelta(minutes=5)
    with desk.database.write() as session:
        Processes(session).seen(ProcessIdentity("worker-1", "worker", "a"), long_ago, ticked=True)
        Processes(session).seen(ProcessIdentity("web-1", "web", "b"), long_ago, ticked=False)
        Processes(session).stopped(ProcessIdentity("web-1", "web", "b"), long_ago)
    assert "status.retry" not in desk.buttons()
    action = desk.press_the_only("status.park")
    assert action.subject == "process|worker:worker-1", "and one that was stopped is no worry"
    with pytest.raises(Refused):
        desk.press(action)


def test_a_forged_kind_does_nothing(desk: Desk) -> None:
    for name in ("status.retry", "status.park", "status.unpark"):
        with pytest.raises(Refused):
            desk.press(Action(name, "audit|1", extra={"state": "new"}))


def test_a_card_that_was_pressed_follows_what_comes_of_it_for_a_minute(desk: Desk) -> None:
    failed_event(desk)
    assert desk.card().stale_at is None
    desk.press_the_only("status.retry")
    assert desk.card().stale_at == NOW + timedelta(seconds=3)
    desk.clock.at += timedelta(minutes=2)
    assert desk.card().stale_at is None


def test_many_stuck_items_are_cut_and_counted(desk: Desk) -> None:
    with desk.database.write() as session:
        for number in range(20):
            Inbox(session).store(id=f"feishu:{number}", source="feishu", kind="im", body="b", at=NOW)
            Inbox(session).settle(f"feishu:{number}", InboxState.FAILED, NOW, "1a2b3c4d")
    assert len(desk.buttons()["status.retry"]) == 6
    notes = [
        block for block in desk.card().blocks if getattr(getattr(block, "words", None), "key", "") == "status.more"
    ]
    assert notes[0].words.params == {"n": 14}  # type: ignore[union-attr]  # found by it


def test_whoever_only_reads_the_status_mends_nothing(desk: Desk) -> None:
    needed = {click.name: click.permission for click in CLICKS}
    for name in ("status.retry", "status.park", "status.unpark"):
        assert needed[name] is MANAGE
    reader = replace(desk.actor, grants={"*": frozenset({READ})})
    assert not reader.may(MANAGE)


def test_whoever_manages_one_program_only_mends_nothing_and_sees_nothing(desk: Desk) -> None:
    failed_event(desk)
    (action,) = desk.buttons()["status.retry"]
    held = frozenset({READ, MANAGE})
    desk.actor = replace(desk.actor, grants={"mall": held})
    with pytest.raises(Refused) as told:
        desk.press(action)
    assert told.value.reason.key == "status.scope"
    asked = Asked(
        actor=desk.actor, chat=to_chat("oc_pay"), chat_id="oc_pay", is_group=True, message_id="om_1", mentions=()
    )
    with desk.units.write("command") as unit, pytest.raises(Refused):
        status(unit, asked, NoArguments())


def test_a_click_that_was_put_aside_is_not_carried_out_days_later(desk: Desk) -> None:
    with desk.database.write() as session:
        Inbox(session).store(id=EVENT_ID, source="feishu", kind="card.action.trigger", body="b", at=NOW)
    desk.clock.at += timedelta(minutes=2)
    desk.press_the_only("status.park")
    desk.clock.at += timedelta(days=3)
    with pytest.raises(Refused) as told:
        desk.press_the_only("status.unpark")
    assert told.value.reason.key == "status.too_old"
    assert state_of_event(desk) == InboxState.PARKED


def test_a_job_that_was_put_aside_and_fails_once_more_is_news(desk: Desk) -> None:
    work = FailedWork(desk.units)
    work.failed("refund.recover", {"at": "1"}, "11111111")
    desk.press_the_only("status.park")
    with desk.database.read() as session:
        assert items(session, NOW, all_areas()) == []
    work.failed("refund.recover", {"at": "2"}, "22222222")
    with desk.database.read() as session:
        (item,) = items(session, NOW, all_areas())
        assert parked_items(session, NOW, all_areas()) == []
    assert item.incident == "22222222"


def test_a_job_that_this_version_does_not_know_is_not_lost_for_being_tried_again(desk: Desk) -> None:
    work = FailedWork(desk.units)
    work.failed("of.the.next.version", {"id": 1}, "11111111")
    desk.press_the_only("status.retry")
    work.again({"key": fingerprint("of.the.next.version", {"id": 1})})
    with desk.database.read() as session:
        (item,) = items(session, NOW, all_areas())
    assert item.title.params["n"] == 2
    assert "status.retry" in desk.buttons()


@pytest.mark.parametrize("another_stands_there", [False, True])
def test_a_card_given_up_with_its_chat_follows_its_item_again(desk: Desk, another_stands_there: bool) -> None:
    with desk.units.write("lost") as unit:
        unit.send_card("home", "7", to_chat("oc_pay"))
        (card,) = unit.cards_of("home", "7")
        message = Outbox(unit.session).head(card.partition)
        assert message is not None
        id = message.id
        message.state, message.error, card.retired = OutboxState.FAILED, "BotNotInChat 230002", True
    (action,) = [action for action in desk.buttons()["status.retry"] if action.subject == f"message|{id}"]
    if another_stands_there:
        with desk.units.write("found") as unit:
            unit.send_card("home", "7", to_chat("oc_pay"))
        assert "status.retry" not in desk.buttons(), "nothing is missing there any more"
        with pytest.raises(Refused):  # who looks at an older picture
            desk.press(action)
    else:
        desk.press(action)
    with desk.database.read() as session:
        row = Outbox(session).card(card.id)
        assert row is not None
        assert row.retired is another_stands_there
    assert message_state(desk, id) == (OutboxState.FAILED if another_stands_there else OutboxState.WAITING)


def test_what_was_put_aside_is_not_kept_for_ever(desk: Desk) -> None:
    with desk.database.write() as session:
        Inbox(session).store(id=EVENT_ID, source="feishu", kind="im.chat.disbanded_v1", body="b", at=NOW)
    desk.clock.at += timedelta(minutes=2)
    desk.press_the_only("status.park")
    with desk.units.write("forget") as unit:
        unit.forget(NOW + timedelta(days=1))
        ParkedItems(unit.session).forget(NOW + timedelta(days=1))
    with desk.database.read() as session:
        assert Inbox(session).get(EVENT_ID) is None
        assert ParkedItems(session).count() == 0
