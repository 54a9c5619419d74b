"""Working off what came in: each item once, in one transaction with everything it causes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeAlias

import structlog

from bot.cards.actions import ActionSigner
from bot.errors import Refused
from bot.feishu.envelope import Envelope
from bot.feishu.values import CardClicked, Incoming, MessageReceived
from bot.incoming.clicks import read_click
from bot.incoming.messages import answer_message, answer_place
from bot.incoming.router import Router, not_allowed
from bot.incoming.unhandled import is_unhandled, read_event
from bot.jobs.engine import USUAL, Payload
from bot.jobs.names import PROCESS
from bot.jobs.retries import TryAgain
from bot.texts import text
from bot.unit import Unit, Units, to_person
from storage.core.inbox import Inbox, InboxItem, InboxState

log = structlog.get_logger("inbox")

FEISHU = "feishu"
REFUSED_CLICK = "refused:"  # kind of a click that was already told no; nothing is left but to show the truth
# A command that old surprises more than it helps: docs/platforms/feishu.md ("Event delivery and signatures").
_TOO_OLD = timedelta(minutes=30)

WorkOnPush: TypeAlias = Callable[[Unit, str, str], None]  # account key, stored body


class InboxProcessing:
    """The job that works off one inbox item, and what is done when that fails for good."""

    def __init__(
        self,
        units: Units,
        router: Router,
        signer: ActionSigner,
        pushes: WorkOnPush,
        bot_open_id: Callable[[], str],
    ) -> None:
        self._units = units
        self._router = router
        self._signer = signer
        self._pushes = pushes
        self._bot_open_id = bot_open_id

    def process(self, payload: Payload) -> None:
        id = payload["id"]
        value = self._value(id)
        if isinstance(value, MessageReceived) and value.mentions and not self._bot_open_id():
            raise TryAgain("who we are is not known yet, so a mention of us would go unheard")
        try:
            with self._units.write(id) as unit:
                item = unit.inbox.take(id)
                if item is None:
                    return
                state = self._handle(unit, item, value)
                unit.inbox.settle(id, state, unit.now)
        except Refused as refusal:
            # What the handler had begun is rolled back; the answer goes out in a transaction of its own.
            with self._units.write(id) as unit:
                if unit.inbox.take(id) is not None:
                    self._tell(unit, value, refusal)
                    unit.inbox.settle(id, InboxState.DONE, unit.now)

    def process_all(self, payload: Payload) -> None:
        """Those that were stored together, one after the other: each as if it had a job of its own."""
        for id in payload["ids"]:
            self._units.engine.run(PROCESS, {"id": id})

    def failed(self, id: str, incident: str) -> None:
        """Nothing of the item took effect, and it will not be tried again: say so."""
        value = self._value(id)
        with self._units.write(id) as unit:
            if unit.inbox.take(id) is None:
                return
            unit.inbox.settle(id, InboxState.FAILED, unit.now, incident)
            self._tell(unit, value, Refused(text("error.incident", incident=incident)))

    def resume(self) -> None:
        """Enqueue again what lies unfinished for long: a safety net, for the two are stored in one transaction."""
        before = self._units.clock.now() - timedelta(seconds=90)
        with self._units.write("resume") as unit:
            for item in unit.inbox.stale(before):
                id = f"{item.id[:180]}~{int(unit.now.timestamp()) // 90}"
                # Behind what people wait for just now: most of these only wait their turn in a long queue.
                unit.enqueue(PROCESS, id, {"id": item.id}, priority=USUAL)

    # ---------------------------------------------------------------------------------------------------------------

    def _value(self, id: str) -> Incoming | None:
        """What a stored Feishu event says. Read before the transaction: our own open id may have to be asked for."""
        with self._units.read() as session:
            item = Inbox(session).get(id)
        if item is None or item.source != FEISHU or item.state in (InboxState.DONE, InboxState.IGNORED):
            return None
        return read_event(Envelope.load(item.body), self._bot_open_id(), id)

    def _handle(self, unit: Unit, item: InboxItem, value: Incoming | None) -> InboxState:
        if value is None:
            self._pushes(unit, item.source.partition(":")[2], item.body)
            return InboxState.DONE
        if is_unhandled(value, self._router, unit.areas):
            return InboxState.IGNORED
        if isinstance(value, MessageReceived):
            if unit.now - value.created_at > _TOO_OLD:
                log.info("message.too_old", inbox=item.id)
                return InboxState.IGNORED
            return InboxState.DONE if answer_message(unit, value, self._router) else InboxState.IGNORED
        if isinstance(value, CardClicked):
            self._click(unit, item, value)
            return InboxState.DONE
        unit.emit(value)
        return InboxState.DONE

    def _click(self, unit: Unit, item: InboxItem, value: CardClicked) -> None:
        card = unit.card_of_message(value.message_id)
        if item.kind.startswith(REFUSED_CLICK):
            if card is not None:
                card.drawn = None  # whatever stands there, show the truth
                unit.refresh_card(card)
            return
        clicked = read_click(unit, value, self._signer)
        click = self._router.click(clicked.action.name)
        if click is None:
            raise Refused(text("click.unknown"))
        if not clicked.actor.may(click.permission):
            raise Refused(not_allowed(click.permission, clicked.actor))
        click.run(unit, clicked)

    def _tell(self, unit: Unit, value: Incoming | None, refusal: Refused) -> None:
        if isinstance(value, MessageReceived):
            unit.send_text(answer_place(value), refusal.reason, reply_to=value.message_id)
        elif isinstance(value, CardClicked):
            # The toast had said yes, and somebody was faster: tell the one who clicked, and show the truth.
            unit.send_text(to_person(value.operator_open_id), text("click.not_done", reason=refusal.reason))
            card = unit.card_of_message(value.message_id)
            if card is not None:
                card.drawn = None
                unit.refresh_card(card)
