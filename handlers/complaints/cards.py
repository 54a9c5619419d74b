"""The card of one complaint: what happened, by when, and what can be done about it now."""

from __future__ import annotations

from datetime import datetime
from functools import partial

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
    Form,
    Input,
    Line,
    Menu,
    Note,
    Option,
    PersonChoice,
    Pictures,
    Quote,
    Tag,
    Tone,
    Toned,
    Warning,
    Words,
)
from bot.contributions.cards import held, sections
from bot.texts import Fen, Instant, Text, text
from handlers.complaints.phrases import step
from handlers.shared.due_times import SOON, countdown, until_changed, urgency
from handlers.shared.phrases import excerpt, masked_phone, named
from storage.areas.complaints import Complaint, ComplaintEntry, Complaints, Progress, ReplyState
from storage.areas.configuration import Configuration
from storage.areas.people import People

CARD = "complaint"
_SHOWN_ENTRIES = 12
_OWN_VIEWS = ("assign", "reply")  # the others are forms of sections


def draw(look: Look) -> Card:
    complaint = Complaints(look.session).get(int(look.subject))
    if complaint is None:
        return Card(text("card.gone.title"), (Line(text("card.gone")),), Tone.NEUTRAL)
    return _Drawing(look, complaint).card()


class _Drawing:
    def __init__(self, look: Look, complaint: Complaint) -> None:
        self.look = look
        self.complaint = complaint
        self.people = People(look.session)
        self.sections = [section.draw(look) for section in sections(look.areas, CARD)]
        self.view = self._open_form()
        self.act = partial(Action, subject=str(complaint.id), version=complaint.row_version)
        self.stale_at: datetime | None = None

    def _open_form(self) -> str:
        """Which form stands on the card; "" for none. One that nobody here knows (another version does) is none."""
        view = str(self.look.params.get("view", ""))
        known = view in _OWN_VIEWS or any(section.form for section in self.sections)
        return view if known and self._form_is_theirs() else ""

    def _form_is_theirs(self) -> bool:
        """Whether whoever opened a form on this card may still send it."""
        complaint, by = self.complaint, self.look.params.get("by")
        if not complaint.is_open or complaint.claimed_by is None or complaint.progress == Progress.FINISHING:
            return False
        return by == complaint.claimed_by or self.look.params.get("view") == "assign"

    def card(self) -> Card:
        complaint = self.complaint
        blocks = [*self._overdue(), *self._deadlines()]
        blocks += self._working() if self.view else self._standing()
        return Card(
            title=text("complaint.title", number=complaint.number, amount=Fen(complaint.amount_fen)),
            subtitle=complaint.problem or None,
            tone=self._tone(),
            tags=self._tags(),
            blocks=tuple(blocks),
            summary=text("complaint.summary", number=complaint.number, words=excerpt(complaint.words, 60)),
            # A card that somebody is typing into is not refreshed for the clock alone.
            stale_at=None if self.view else self.stale_at,
        )

    def _standing(self) -> list[Block]:
        return [
            self._words(300), *self._pictures(), *self._facts(), *self._history(), *self._others(), *self._notices(),
            *self._buttons(),
        ]  # fmt: skip

    def _working(self) -> list[Block]:
        """With a form on it the card is short: on a phone the fields must not stand a screen below what they answer."""
        details = (*self._pictures(), *self._facts(), *self._others())
        return [
            self._words(160), Fold(text("complaint.details"), details), *self._history(), *self._notices(),
            *self._form(),
        ]  # fmt: skip

    def _others(self) -> list[Block]:
        """What other areas tell of it."""
        return [block for section in self.sections for block in section.blocks]

    def _tone(self) -> Tone:
        complaint = self.complaint
        if not complaint.is_open:
            return Tone.GOOD
        due = complaint.first_reply_due if complaint.first_replied_at is None else complaint.finish_due
        if due - self.look.now <= SOON:
            return Tone.URGENT
        return Tone.CALM if complaint.claimed_by and not complaint.user_waits else Tone.WAITING

    def _tags(self) -> tuple[Tag, ...]:
        complaint = self.complaint
        if complaint.is_open and complaint.claimed_by is None:
            first = Tag(text("complaint.state.unclaimed"), Tone.WAITING)
        else:
            first = Tag(text(f"complaint.state.{complaint.progress}"), Tone.CALM if complaint.is_open else Tone.GOOD)
        tags = [first]
        if complaint.user_waits and complaint.is_open and complaint.first_replied_at is not None:
            tags.append(Tag(text("complaint.tag.customer_waits"), Tone.WAITING))
        tags += [tag for section in self.sections for tag in section.tags]
        if complaint.times > 1:
            tags.append(Tag(text("complaint.tag.again", times=complaint.times), Tone.URGENT))
        elif complaint.platform_assists:
            tags.append(Tag(text("complaint.tag.platform"), Tone.URGENT))
        return tuple(tags[:3])

    def _overdue(self) -> list[Block]:
        complaint = self.complaint
        if not complaint.is_open:
            return []
        if complaint.first_replied_at is None and complaint.first_reply_due <= self.look.now:
            return [Warning(text("complaint.first_reply_overdue"))]
        if complaint.finish_due <= self.look.now:
            return [Warning(text("complaint.finish_overdue"))]
        return []

    def _deadlines(self) -> list[Block]:
        """What still has to be met, the next one first."""
        complaint = self.complaint
        if not complaint.is_open:
            return []
        dues = [(text("complaint.finish"), complaint.finish_due)]
        if complaint.first_replied_at is None:
            dues.insert(0, (text("complaint.first_reply"), complaint.first_reply_due))
        return [Facts(tuple((label, self._count(due)) for label, due in dues))]

    def _facts(self) -> list[Block]:
        complaint = self.complaint
        program = Configuration(self.look.session).program(complaint.program_key)
        pairs: list[tuple[Text, Words | Toned]] = [
            (text("complaint.handler"), self._handler()),
            (text("complaint.customer"), masked_phone(complaint.phone) or text("complaint.no_phone")),
            (text("complaint.amount"), text("money", amount=Fen(complaint.amount_fen))),
        ]
        if complaint.requested_refund_fen is not None:
            asked = text("money", amount=Fen(complaint.requested_refund_fen))
            pairs.append((text("complaint.wants_back"), asked))
        if program is not None:
            pairs.append((text("complaint.program"), program.name))
        if complaint.first_replied_at is not None or not complaint.is_open:
            pairs.append((text("complaint.first_reply"), self._first_reply()))
        if complaint.finished_at is not None:
            pairs.append((text("complaint.finish"), self._met(complaint.finished_at, complaint.finish_due)))
        pairs.append((text("complaint.order"), complaint.out_trade_no or text("complaint.no_order")))
        return [Facts(tuple(pairs))]

    def _handler(self) -> Text:
        if self.complaint.claimed_by is None:
            return text("complaint.state.unclaimed")
        return named(self.people.by_id(self.complaint.claimed_by))

    def _first_reply(self) -> Words | Toned:
        complaint = self.complaint
        if complaint.first_replied_at is None:
            return text("complaint.not_needed")
        return self._met(complaint.first_replied_at, complaint.first_reply_due)

    def _met(self, at: datetime, due: datetime) -> Words | Toned:
        if at > due:
            return Toned(text("complaint.done_late", at=Instant(at)), Tone.URGENT)
        return text("complaint.done_at", at=Instant(at))

    def _count(self, due: datetime) -> Words | Toned:
        now = self.look.now
        words, _ = countdown(due, now)
        until, tone = until_changed(due, now), urgency(due, now)
        self.stale_at = min(self.stale_at or until, until)
        return Toned(words, tone) if tone is not None else words

    def _words(self, longest: int) -> Block:
        complaint = self.complaint
        author = text("complaint.said", who=text("author.customer"), at=Instant(complaint.complained_at))
        return Quote(complaint.words, longest, author=author)

    def _pictures(self) -> list[Block]:
        complaint = self.complaint
        if complaint.picture_keys:
            return [Pictures(tuple(complaint.picture_keys))]
        if complaint.picture_urls:
            return [Note(text("complaint.pictures_coming", count=len(complaint.picture_urls)))]
        return []

    def _history(self) -> list[Block]:
        complaint = self.complaint
        entries = Complaints(self.look.session).entries(complaint.id, _SHOWN_ENTRIES)
        later = [entry for entry in entries if not entry.kind.startswith("USER_CREATE_COMPLAINT")]
        if not later:
            return []
        last = later[-1]
        title = text("complaint.history", count=len(later), who=text(f"author.{last.author}"), at=Instant(last.at))
        opened = complaint.user_waits and complaint.is_open
        return [Fold(title, tuple(self._entry(entry) for entry in later), opened)]

    def _entry(self, entry: ComplaintEntry) -> Block:
        """What people wrote is quoted; what merely happened is a line of small print."""
        who, at = text(f"author.{entry.author}"), Instant(entry.at)
        words = (entry.words or "").strip()
        what = step(entry.kind, spoken=bool(words))
        if what is None:
            return Quote(words, 160, author=text("complaint.said", who=who, at=at))
        told = text("complaint.did", who=who, what=what, at=at)
        return Quote(words, 160, author=told) if words and entry.author != "system" else Note(told)

    def _notices(self) -> list[Block]:
        complaint = self.complaint
        blocks: list[Block] = []
        replies = Complaints(self.look.session).replies(complaint.id)
        if replies and complaint.is_open:
            last = replies[-1]
            if last.state == ReplyState.SENDING:
                blocks.append(Note(text("complaint.reply_sending")))
            elif last.state == ReplyState.REFUSED:
                blocks.append(Warning(text("complaint.reply_refused", why=last.error or "")))
            elif last.state == ReplyState.UNKNOWN:
                blocks.append(Warning(text("complaint.reply_unknown")))
        if complaint.progress == Progress.FINISHING:
            blocks.append(Note(text("complaint.finishing")))
        return blocks

    def _buttons(self) -> list[Block]:
        complaint = self.complaint
        if not complaint.is_open:
            return []
        if complaint.claimed_by is None:
            return [Buttons((Button(text("complaint.claim"), self.act("complaint.claim"), ButtonStyle.PRIMARY),))]
        if complaint.progress == Progress.FINISHING:
            return []
        buttons = [Button(text("complaint.reply"), self.act("complaint.open_reply"), ButtonStyle.PRIMARY)]
        buttons += [button for section in self.sections for button in section.buttons]
        buttons.append(self._finish_button())
        more = [button for section in self.sections for button in section.more]
        more += [
            Button(text("complaint.hand_on"), self.act("complaint.open_assign")),
            Button(text("complaint.release"), self.act("complaint.release")),
            Button(text("complaint.phone"), self.act("complaint.phone")),
        ]
        return [Buttons(tuple(buttons)), Fold(text("complaint.more"), (Buttons(tuple(more)),))]

    def _finish_button(self) -> Button:
        if self.complaint.progress == Progress.WAITING:
            why_not: Text | None = text("complaint.finish_needs_reply")
        else:
            why_not = held(self.look.areas, CARD, self.look.session, self.complaint.id)
        return Button(
            text("complaint.finish_it"),
            self.act("complaint.finish"),
            confirm=Confirm(text("complaint.finish_it"), text("complaint.finish_sure")),
            why_not=why_not,
        )

    def _form(self) -> list[Block]:
        back = Button(text("card.back"), self.act("complaint.back"))
        if self.view not in _OWN_VIEWS:
            return [block for section in self.sections for block in section.form]
        if self.view == "assign":
            fields = (PersonChoice("person", text("complaint.hand_to")),)
            submit = Button(text("complaint.hand_on"), self.act("complaint.assign"), ButtonStyle.PRIMARY)
            return [Form("assign_form", fields, submit, (back,))]
        params = self.look.params
        draft = str(params.get("draft", ""))
        templates = Configuration(self.look.session).templates()
        blocks: list[Block] = []
        if templates:
            options = tuple(Option(template.key, template.title) for template in templates)
            chosen = str(params.get("template", ""))
            menu = Menu(text("complaint.template"), options, self.act("complaint.template"), chosen)
            blocks.append(menu)
        reply = Input(
            "reply", text("complaint.reply_to_customer"), text("complaint.reply_hint"), draft, lines=4, longest=500
        )
        submit = Button(text("complaint.send_reply"), self.act("complaint.reply"), ButtonStyle.PRIMARY)
        return [*blocks, Form("reply_form", (reply,), submit, (back,))]
