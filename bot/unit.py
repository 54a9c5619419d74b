"""The unit of work: one transaction in which a handler reads, decides, writes, and says what goes out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from sqlalchemy import text as sql
from sqlalchemy.orm import Session

from bot.area import Areas
from bot.clock import Clock
from bot.feishu.port import Receiver
from bot.jobs.engine import CARDS, INTERACTIVE, URGENT, Engine, Payload
from bot.jobs.names import DELIVER
from bot.permissions import Actor
from bot.telemetry import correlation
from bot.texts import Text
from bot.texts.stored_text import dump_text
from storage.areas.configuration import Configuration
from storage.areas.people import People
from storage.core.audit import Audit
from storage.core.inbox import Inbox
from storage.core.outbox import Outbox, PostedCard
from storage.core.schedule import Deadlines
from storage.database import Database

_Repository = TypeVar("_Repository")

KEEP = timedelta(days=30)  # how long finished messages stay, for questions about what happened


def receiver_of(stored: str) -> Receiver:
    """A receiver from its stored form `chat:<chat_id>` or `person:<open_id>`."""
    kind, _, id = stored.partition(":")
    if kind not in ("chat", "person"):
        raise ValueError(f"not a receiver: {kind}")
    return Receiver("chat" if kind == "chat" else "person", id)


def stored_receiver(receiver: Receiver) -> str:
    return f"{receiver.kind}:{receiver.id}"


def to_chat(chat_id: str) -> Receiver:
    return Receiver("chat", chat_id)


def to_person(open_id: str) -> Receiver:
    return Receiver("person", open_id)


class Unit:
    """One open transaction. `cause` is the id of the event or job behind it; ids of further work are made from it.

    Whoever acts in it looks at its rows first, in the same transaction: that is what keeps a job that is started again
    from saying or doing anything twice.
    """

    def __init__(
        self, session: Session, database: Database, engine: Engine, clock: Clock, cause: str, areas: Areas
    ) -> None:
        self.session = session
        self.areas = areas
        self.now = clock.now()
        self._clock = clock
        self.cause = cause
        self._database = database
        self._engine = engine
        self._partitions: set[str] = set()
        self._repositories: dict[object, object] = {}
        self.people = self.of(People)
        self.configuration = self.of(Configuration)
        self.deadlines = self.of(Deadlines)
        self.inbox = self.of(Inbox)
        self._outbox = self.of(Outbox)
        self._audit = Audit(session, database.vault.subkey("audit"))

    def look_at_the_clock(self) -> datetime:
        """What time it is by now. `now` is of the beginning, and this process may have stood still since."""
        return self._clock.now()

    def actor(self, open_id: str) -> Actor:
        return self.areas.roles.find(self.people, open_id)

    def of(self, repository: Callable[[Session], _Repository]) -> _Repository:
        """The rows of one sort in this transaction, `unit.of(Complaints)`: one instance a unit."""
        found = self._repositories.get(repository)
        if found is None:
            found = self._repositories[repository] = repository(self.session)
        return cast(_Repository, found)

    def emit(self, event: object) -> None:
        """Tell whoever listens that something happened, in this transaction and before this returns."""
        for listener in self.areas.listeners(type(event)):
            listener(self, event)

    def enqueue(self, job: str, id: str, payload: Payload, *, queue: str = INTERACTIVE, priority: int = URGENT) -> None:
        self._engine.enqueue(self.session, job, id, payload, queue=queue, priority=priority)

    # --- what goes out ---------------------------------------------------------------------------------------------

    def send_card(
        self,
        kind: str,
        subject: str,
        receiver: Receiver,
        *,
        params: Mapping[str, Any] | None = None,
        reply_to: str | None = None,
        refresh_at: datetime | None = None,
    ) -> None:
        """Put a new card into a chat."""
        card_id = self._outbox.add_card(
            kind=kind, subject=subject, params=dict(params or {}), receiver=stored_receiver(receiver),
            partition=self._partition(receiver), at=self.now, refresh_at=refresh_at,
        )  # fmt: skip
        self._send(receiver, card_id=card_id, reply_to=reply_to)

    def refresh(self, kind: str, subject: str) -> None:
        """Make every card of that item show the truth."""
        for card in self._outbox.cards_of(kind, subject):
            self.refresh_card(card)

    def refresh_card(self, card: PostedCard, *, params: Mapping[str, Any] | None = None) -> None:
        if params is not None:
            card.params = dict(params)
        if not card.retired and not self._outbox.refresh_waits(card.id):
            self._send(receiver_of(card.receiver), card_id=card.id)

    def has_card(self, kind: str, subject: str, receiver: Receiver) -> bool:
        partition = self._partition(receiver)
        return any(card.partition == partition for card in self._outbox.cards_of(kind, subject))

    def card_of_message(self, message_id: str) -> PostedCard | None:
        return self._outbox.card_of_message(message_id)

    def cards_of(self, kind: str, subject: str) -> list[PostedCard]:
        return self._outbox.cards_of(kind, subject)

    def send_text(self, receiver: Receiver, words: Text, *, reply_to: str | None = None) -> None:
        """Send a sentence; it is put into the reader's language when it is sent."""
        self._send(receiver, body=dump_text(words), reply_to=reply_to)

    def _send(
        self, receiver: Receiver, *, card_id: int | None = None, body: str | None = None, reply_to: str | None = None
    ) -> None:
        partition = self._partition(receiver)
        message_id = self._outbox.add(
            partition=partition, receiver=stored_receiver(receiver), card_id=card_id, body=body, reply_to=reply_to,
            at=self.now, correlation_id=correlation.current() or None,
        )  # fmt: skip
        if partition not in self._partitions:  # one delivery sends all that waits
            self._partitions.add(partition)
            self._engine.enqueue(
                self.session, DELIVER, f"deliver-{message_id}", {"lane": partition}, queue=CARDS, partition=partition
            )

    def _partition(self, receiver: Receiver) -> str:
        return self._database.vault.index(stored_receiver(receiver))

    def forget(self, before: datetime) -> None:
        """Delete what came in and went out before that moment and was finished."""
        self.inbox.forget(before)
        self._outbox.forget(before)

    def serialize(self, name: str) -> None:
        """Let only one transaction at a time go on that names this; the others wait. SQLite has one writer anyway."""
        if self.session.get_bind().dialect.name != "sqlite":
            lock = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
            self.session.execute(sql("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})

    # --- what is written down --------------------------------------------------------------------------------------

    def audit(self, event: str, subject: str, actor: Actor | None, **params: Any) -> None:
        """Add one sentence to the audit; `event` is a key of the catalogue below `audit.`."""
        self._audit.add(at=self.now, actor_id=actor.id if actor else None, event=event, subject=subject, params=params)


@dataclass(frozen=True, slots=True)
class Units:
    """Opens units of work; the one thing that jobs and handlers are given to reach the database."""

    database: Database
    engine: Engine
    clock: Clock
    areas: Areas

    @contextmanager
    def write(self, cause: str) -> Iterator[Unit]:
        with self.database.write() as session:
            yield Unit(session, self.database, self.engine, self.clock, cause, self.areas)

    @contextmanager
    def look(self, cause: str) -> Iterator[Unit]:
        """A unit for looking only: nothing of it is kept, and it waits for nobody who writes."""
        with self.database.read() as session:
            yield Unit(session, self.database, self.engine, self.clock, cause, self.areas)

    @contextmanager
    def read(self) -> Iterator[Session]:
        with self.database.read() as session:
            yield session
