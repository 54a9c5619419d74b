"""What people do with a complaint: claim, hand on, answer, finish. Each decides within one unit of work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapters.ports.complaints import ComplaintsPort
from adapters.values import Author
from bot.contributions.cards import held
from bot.contributions.permissions import Permission
from bot.contributions.routing import Clicked
from bot.errors import Refused
from bot.feishu.values import BotAddedToChat
from bot.incoming.card_views import show_view
from bot.incoming.router import not_allowed
from bot.permissions import Actor
from bot.texts import Text, text
from bot.unit import Unit, to_chat, to_person
from handlers.complaints.cards import CARD
from handlers.complaints.permissions import ASSIGN, HANDLE, REVEAL, VIEW
from handlers.complaints.states import Event, advance
from handlers.shared.accounts.registry import Channels, queue_of
from handlers.shared.phrases import named, object_to
from storage.areas.complaints import Complaint, ComplaintReply, Complaints, Progress, ReplyState
from storage.areas.people import Person

SEND_REPLY = "complaint.send_reply"
COMPLETE = "complaint.complete"


@dataclass(frozen=True, slots=True)
class Service:
    """The actions on a complaint's card. `check_…` looks before the toast; the others act."""

    channels: Channels

    # --- who handles it --------------------------------------------------------------------------------------------

    def check_claim(self, unit: Unit, clicked: Clicked) -> Text:
        return text("complaint.claimed", number=self._claimable(unit, clicked).number)

    def _claimable(self, unit: Unit, clicked: Clicked) -> Complaint:
        complaint = self._open(unit, clicked)
        self._scope(clicked.actor, HANDLE, complaint)
        if complaint.claimed_by == clicked.actor.id:
            raise Refused(text("complaint.yours_already", number=complaint.number))
        if complaint.claimed_by is not None:
            raise Refused(text("complaint.taken", who=named(unit.people.by_id(complaint.claimed_by))))
        return complaint

    def claim(self, unit: Unit, clicked: Clicked) -> None:
        complaint = self._claimable(unit, clicked)
        complaint.claimed_by, complaint.claimed_at = clicked.actor.id, unit.now
        self._told(unit, "complaint.claimed", complaint, clicked.actor)

    def check_release(self, unit: Unit, clicked: Clicked) -> Text:
        return text("complaint.released", number=self.mine(unit, clicked, over=True).number)

    def release(self, unit: Unit, clicked: Clicked) -> None:
        complaint = self.mine(unit, clicked, over=True)
        complaint.claimed_by = complaint.claimed_at = None
        self._told(unit, "complaint.released", complaint, clicked.actor)

    def check_assign(self, unit: Unit, clicked: Clicked) -> Text:
        self._taker(unit, clicked, self.mine(unit, clicked, over=True))
        return text("complaint.handed_on")

    def assign(self, unit: Unit, clicked: Clicked) -> None:
        complaint = self.mine(unit, clicked, over=True)
        taker = self._taker(unit, clicked, complaint)
        complaint.claimed_by, complaint.claimed_at = taker.id, unit.now
        unit.audit(
            "complaint.assigned", f"complaint:{complaint.id}", clicked.actor,
            number=complaint.number, to={"person": taker.id},
        )  # fmt: skip
        self._look(unit, clicked, complaint, {})
        unit.refresh(CARD, str(complaint.id))
        if taker.id != clicked.actor.id:
            unit.send_text(
                to_person(taker.open_id),
                text("complaint.handed_to_you", number=complaint.number, who=clicked.actor.name),
            )

    def _taker(self, unit: Unit, clicked: Clicked, complaint: Complaint) -> Actor:
        taker = unit.actor(clicked.form.get("person", ""))
        if taker.id is None or not taker.may(HANDLE, complaint.program_key):
            raise Refused(text("complaint.cannot_take", who=taker.name if taker.id else text("person.unknown_one")))
        return taker

    # --- looking at it ---------------------------------------------------------------------------------------------

    def check_mine(self, unit: Unit, clicked: Clicked) -> Text:
        self.mine(unit, clicked)
        return text("click.opened")

    def open_reply(self, unit: Unit, clicked: Clicked) -> None:
        self._look(unit, clicked, self.mine(unit, clicked), {"view": "reply"})

    def check_over(self, unit: Unit, clicked: Clicked) -> Text:
        self.mine(unit, clicked, over=True)
        return text("click.opened")

    def open_assign(self, unit: Unit, clicked: Clicked) -> None:
        self._look(unit, clicked, self.mine(unit, clicked, over=True), {"view": "assign"})

    def back(self, unit: Unit, clicked: Clicked) -> None:
        self._look(unit, clicked, self._get(unit, clicked), {})

    def check_template(self, unit: Unit, clicked: Clicked) -> Text:
        self.mine(unit, clicked)
        return text("complaint.template_put")

    def template(self, unit: Unit, clicked: Clicked) -> None:
        complaint = self.mine(unit, clicked)
        chosen = next((each for each in unit.configuration.templates() if each.key == clicked.option), None)
        if chosen is None:
            raise Refused(text("complaint.template_gone"))
        words = chosen.body.replace("{order}", complaint.out_trade_no)
        self._look(unit, clicked, complaint, {"view": "reply", "template": chosen.key, "draft": words})

    def check_phone(self, unit: Unit, clicked: Clicked) -> Text:
        self._revealed(unit, clicked)
        return text("complaint.phone_sent")

    def _revealed(self, unit: Unit, clicked: Clicked) -> Complaint:
        complaint = self._get(unit, clicked)
        self._scope(clicked.actor, REVEAL, complaint)
        if not complaint.phone:
            raise Refused(text("complaint.no_phone_known"))
        return complaint

    def phone(self, unit: Unit, clicked: Clicked) -> None:
        """Show the customer's phone number to one person, in private, and write down that it was shown."""
        complaint = self._revealed(unit, clicked)
        unit.audit("personal.revealed", f"complaint:{complaint.id}", clicked.actor, number=complaint.number)
        unit.send_text(
            to_person(clicked.actor.open_id),
            text("complaint.phone_is", number=complaint.number, phone=complaint.phone),
        )

    # --- answering and finishing -----------------------------------------------------------------------------------

    def check_reply(self, unit: Unit, clicked: Clicked) -> Text:
        self._answered(unit, clicked)
        return text("complaint.reply_taken")

    def _answered(self, unit: Unit, clicked: Clicked) -> tuple[Complaint, str]:
        """The complaint, and what is to be sent to its customer."""
        complaint, words = self.mine(unit, clicked), clicked.form.get("reply", "").strip()
        port = self.channels.find(complaint.account_key)
        found = port.get(ComplaintsPort) if port is not None else None
        if found is None:
            raise Refused(text("channel.unavailable"))
        object_to(found.check_reply(words))
        replies = unit.of(Complaints).replies(complaint.id)
        if any(reply.state == ReplyState.SENDING for reply in replies):
            raise Refused(text("complaint.reply_in_hand"))
        # A form that still stands there is easily sent again: the same words count once, until the customer writes.
        if any(reply.state == ReplyState.SENT and reply.words == words for reply in replies):
            entries = unit.of(Complaints).entries(complaint.id)
            # Both times are the channel's: by its clock ours may be minutes behind.
            told = [one.at for one in entries if one.author == Author.MERCHANT and one.words.strip() == words]
            heard = [one.at for one in entries if one.author == Author.CUSTOMER]
            if not told or all(at <= max(told) for at in heard):
                raise Refused(text("complaint.reply_sent_already"))
        return complaint, words

    def reply(self, unit: Unit, clicked: Clicked) -> None:
        complaint, words = self._answered(unit, clicked)
        assert clicked.actor.id is not None  # `mine` admits only people who are known
        reply = unit.of(Complaints).add_reply(
            ComplaintReply(
                complaint_id=complaint.id, person_id=clicked.actor.id, words=words, state=ReplyState.SENDING,
                written_at=unit.now,
            )
        )  # fmt: skip
        unit.audit("complaint.reply_written", f"complaint:{complaint.id}", clicked.actor, number=complaint.number)
        unit.enqueue(
            SEND_REPLY, f"reply-{reply.id}", {"id": reply.id}, queue=queue_of(unit.session, complaint.account_key)
        )
        self._look(unit, clicked, complaint, {})
        unit.refresh(CARD, str(complaint.id))

    def check_finish(self, unit: Unit, clicked: Clicked) -> Text:
        self._finishable(unit, clicked)
        return text("complaint.finish_taken")

    def _finishable(self, unit: Unit, clicked: Clicked) -> Complaint:
        complaint = self.mine(unit, clicked)
        if complaint.progress == Progress.WAITING:
            raise Refused(text("complaint.finish_needs_reply"))
        if complaint.progress == Progress.FINISHING:
            raise Refused(text("complaint.finishing"))
        if (hold := held(unit.areas, CARD, unit.session, complaint.id)) is not None:
            raise Refused(hold)
        if clicked.action.version != complaint.row_version:
            raise Refused(text("card.stale"))  # the customer may have written meanwhile
        return complaint

    def finish(self, unit: Unit, clicked: Clicked) -> None:
        complaint = self._finishable(unit, clicked)
        complaint.progress = advance(Progress(complaint.progress), Event.FINISH_ASKED) or complaint.progress
        unit.session.flush()
        unit.audit("complaint.finish_asked", f"complaint:{complaint.id}", clicked.actor, number=complaint.number)
        id = f"complete-{complaint.id}-{complaint.times}-{complaint.row_version}"
        payload = {"id": complaint.id, "actor": clicked.actor.id}
        unit.enqueue(COMPLETE, id, payload, queue=queue_of(unit.session, complaint.account_key))
        unit.refresh(CARD, str(complaint.id))

    # ---------------------------------------------------------------------------------------------------------------

    def _get(self, unit: Unit, clicked: Clicked) -> Complaint:
        complaint = unit.of(Complaints).get(int(clicked.action.subject), lock=True)
        if complaint is None:
            raise Refused(text("card.gone"))
        if not clicked.actor.may(VIEW, complaint.program_key):
            raise Refused(not_allowed(VIEW, clicked.actor))
        return complaint

    def _open(self, unit: Unit, clicked: Clicked) -> Complaint:
        complaint = self._get(unit, clicked)
        if not complaint.is_open:
            raise Refused(text("complaint.is_finished", number=complaint.number))
        return complaint

    def mine(self, unit: Unit, clicked: Clicked, *, over: bool = False) -> Complaint:
        """The complaint if this person handles it; with `over`, also if they may decide over other people's."""
        complaint = self._open(unit, clicked)
        self._scope(clicked.actor, HANDLE, complaint)
        if complaint.claimed_by is None:
            raise Refused(text("complaint.claim_first"))
        if complaint.claimed_by != clicked.actor.id and not (over and clicked.actor.may(ASSIGN, complaint.program_key)):
            raise Refused(text("complaint.taken", who=named(unit.people.by_id(complaint.claimed_by))))
        return complaint

    def _scope(self, actor: Actor, permission: Permission, complaint: Complaint) -> None:
        if not actor.may(permission, complaint.program_key):
            raise Refused(not_allowed(permission, actor))

    def _told(self, unit: Unit, event: str, complaint: Complaint, actor: Actor) -> None:
        unit.audit(event, f"complaint:{complaint.id}", actor, number=complaint.number)
        unit.session.flush()
        unit.refresh(CARD, str(complaint.id))

    def _look(self, unit: Unit, clicked: Clicked, complaint: Complaint, params: dict[str, Any]) -> None:
        """Show the clicked card another way; the other cards of the item stay as they are."""
        show_view(unit, clicked, CARD, str(complaint.id), params)


def show_again(unit: Unit, event: BotAddedToChat) -> None:
    """The bot is back in a group: open complaints whose card could not be shown there get one."""
    place = to_chat(event.chat_id)
    for complaint in unit.of(Complaints).open_in(event.chat_id):
        if not unit.has_card(CARD, str(complaint.id), place):
            unit.send_card(CARD, str(complaint.id), place)


def hand_back(unit: Unit, person: Person) -> int:
    """Give back what somebody had claimed who may no longer handle it, and tell the groups; how many these were."""
    if unit.actor(person.open_id).may(HANDLE):
        return 0
    complaints = unit.of(Complaints).claimed_open(person.id)
    for complaint in complaints:
        complaint.claimed_by = complaint.claimed_at = None
        unit.audit("complaint.freed", f"complaint:{complaint.id}", None, number=complaint.number)
        unit.session.flush()
        unit.refresh(CARD, str(complaint.id))
        if complaint.chat_id:
            unit.send_text(
                to_chat(complaint.chat_id), text("complaint.freed", number=complaint.number, who=named(person))
            )
    return len(complaints)
