"""The card of `/状态`: what is slow, stuck or failing, with what can be done about each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.card_context import Look
from bot.cards.values import (
    Action,
    Block,
    Button,
    Buttons,
    ButtonStyle,
    Card,
    Confirm,
    Facts,
    Fold,
    Line,
    Note,
    Rule,
    Tone,
    Toned,
    Warning,
    Words,
)
from bot.cards.values import Item as Entry
from bot.cards.values import Items as Entries
from bot.telemetry.calls import FEISHU, LATELY
from bot.texts import Instant, Left, Text, text
from handlers.status.backlog import CALL, PROCESS, Item, items, parked_items
from storage.backups.history import MADE, TOO_OLD, standing
from storage.core.inbox import Inbox
from storage.core.outbox import Outbox
from storage.core.parked_items import ParkedItems
from storage.core.processes import Processes
from storage.core.provider_health import ProviderOutage, ProviderOutages
from storage.core.schedule import Deadlines, Schedules

STATUS = "status"
TICK_TOO_OLD = timedelta(seconds=30)
_MOST = 6  # stuck items with buttons
_FOLLOW_EVERY = timedelta(seconds=3)
_MOMENT = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class _Fact:
    label: Text
    words: Words
    worry: bool = False

    @property
    def pair(self) -> tuple[Text, Words | Toned]:
        return self.label, Toned(self.words, Tone.URGENT) if self.worry else self.words


def draw_status(look: Look) -> Card:
    stuck = items(look.session, look.now, look.areas)
    facts = [*_queues(look), *_standing(look)]
    outages = [each for each in ProviderOutages(look.session).since(look.now - LATELY) if not each.is_over]
    well = not stuck and not outages and not any(fact.worry for fact in facts)
    blocks: list[Block] = [Line(text("status.well" if well else "status.look"))]
    blocks.append(Facts(tuple(fact.pair for fact in facts)))
    blocks += [Warning(_outage(each, look)) for each in outages[:5]]
    for item in stuck[:_MOST]:
        blocks += _stuck(item)
    if len(stuck) > _MOST:
        blocks.append(Note(text("status.more", n=len(stuck) - _MOST)))
    blocks += _parked(look)
    blocks.append(Buttons((Button(text("status.refresh"), Action("status.refresh")),)))
    blocks.append(Note(text("status.at", at=Instant(look.now))))
    return Card(
        text("status.title"), tuple(blocks), Tone.GOOD if well else Tone.WAITING, stale_at=_follow(look)
    )  # fmt: skip


def _queues(look: Look) -> list[_Fact]:
    inbox, oldest_in = Inbox(look.session).waiting()
    # What is being written and sent this moment does not wait: this card itself would count.
    outbox, oldest_out = Outbox(look.session).waiting(look.now - _MOMENT)
    overdue = Deadlines(look.session).oldest_overdue(look.now)
    late: Text = text("moment", at=Instant(overdue)) if overdue is not None else text("status.none")
    return [
        _Fact(text("status.inbox"), _queue(inbox, oldest_in, look), inbox >= 50),
        _Fact(text("status.outbox"), _queue(outbox, oldest_out, look), outbox >= 200),
        _Fact(text("status.overdue"), late, overdue is not None),
    ]


def _standing(look: Look) -> list[_Fact]:
    """The schedule and the processes in real time; the backup on our clock."""
    real = datetime.now(UTC)
    processes = Processes(look.session)
    ticked, alive, silent = processes.ticked_at(), processes.alive(real), processes.silent(real)
    tick = text("status.ago", age=Left(real - ticked)) if ticked is not None else text("status.never")
    made = Schedules(look.session).last_run(MADE)
    backup = text("status.ago", age=Left(look.now - made)) if made is not None else text("status.never")
    restore_check = standing(look.session, look.now)
    good = restore_check.good_at
    proven = text("status.ago", age=Left(look.now - good)) if good is not None else text("status.never")
    if restore_check.failed_at is not None:
        proven = text("status.drill_failed", age=Left(look.now - restore_check.failed_at))
    return [
        _Fact(text("status.tick"), tick, ticked is not None and real - ticked > TICK_TOO_OLD),
        _Fact(text("status.processes"), text("status.alive", n=len(alive), silent=len(silent)), bool(silent)),
        _Fact(text("status.backup"), backup, made is not None and look.now - made > TOO_OLD),
        _Fact(text("status.proven"), proven, restore_check.failed_at is not None or restore_check.is_late),
    ]


def _queue(count: int, oldest: datetime | None, look: Look) -> Text:
    if not count or oldest is None:
        return text("number", n=count)
    return text("status.queue", n=count, age=Left(look.now - oldest))


def _outage(outage: ProviderOutage, look: Look) -> Text:
    age = Left(look.now - outage.last_at)
    key = "status.trouble.feishu" if outage.target == FEISHU else "status.trouble.account"
    return text(
        key, account=outage.target, n=outage.errors, what=outage.what, why=outage.why, age=age
    )  # fmt: skip


def _stuck(item: Item) -> list[Block]:
    retry = Button(text("status.retry"), _action("status.retry", item), ButtonStyle.PRIMARY)
    park = Button(text("status.dismiss" if item.kind == PROCESS else "status.park"), _action("status.park", item))
    if item.kind == CALL:
        retry = Button(text("status.ask_now"), _action("status.retry", item), ButtonStyle.PRIMARY)
    elif item.kind != PROCESS:
        sure = Confirm(text("status.park_title"), text("status.park_question"))
        park = Button(text("status.park"), _action("status.park", item), confirm=sure)
    buttons = (retry, park) if item.can_retry else (park,)
    return [Rule(), Line(item.title, strong=True), Note(_detail(item)), Buttons(buttons)]


def _detail(item: Item) -> Text:
    if not item.incident:
        return item.detail
    return text("status.item.detail", detail=item.detail, incident=item.incident)


def _parked(look: Look) -> list[Block]:
    found = parked_items(look.session, look.now, look.areas)
    if not found:
        return []
    entries = tuple(
        Entry(item.title, _detail(item), Button(text("status.unpark"), _action("status.unpark", item)))
        for item in found
    )
    return [Rule(), Fold(text("status.parked_list", n=ParkedItems(look.session).count()), (Entries(entries),))]


def _action(name: str, item: Item) -> Action:
    return Action(name, f"{item.kind}|{item.subject}", extra={"state": item.state})


def _follow(look: Look) -> datetime | None:
    """A card on which somebody pressed something shows for a while what comes of it."""
    until = look.params.get("until")
    if until is None or look.now > datetime.fromisoformat(str(until)):
        return None
    return look.now + _FOLLOW_EVERY
