"""Compares what really happened (the sandbox's books and chats) with what mpops believes (its database)."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from bot.jobs.names import jobs_table
from sandbox.company import MERCHANT
from sandbox.feishu.state import Message
from sandbox.server import Sandbox
from storage.areas.approvals import ApprovalRequest, RequestState
from storage.areas.complaints import Complaint, ComplaintReply, Progress, ReplyState
from storage.areas.refunds import Refund, RefundProgress
from storage.core.audit import Audit
from storage.core.effects import Effect, EffectState
from storage.core.inbox import InboxItem, InboxState
from storage.core.outbox import OutboxMessage, OutboxState, PostedCard
from storage.core.schedule import Deadline
from storage.database import Database
from tests.faults.staff import shown

_STATES = {
    RefundProgress.PROCESSING: "PROCESSING",
    RefundProgress.PAID: "SUCCESS",
    RefundProgress.FAILED: "CLOSED",
    RefundProgress.ABNORMAL: "ABNORMAL",
}
_TAGS = {
    Progress.WAITING: "待回复",
    Progress.ANSWERED: "已回复",
    Progress.FINISHING: "完结中",
    Progress.FINISHED: "已完结",
}
_DECIDED = {
    RequestState.PENDING: "待审批",
    RequestState.APPROVED: "已批准",
    RequestState.REJECTED: "已驳回",
    RequestState.WITHDRAWN: "已撤回",
    RequestState.EXPIRED: "已过期",
}
_LATE = timedelta(seconds=15)
_ON_THEIR_WAY = (RefundProgress.APPROVED, RefundProgress.SENDING, RefundProgress.PROCESSING)


class Auditor:
    """`pending` is what still moves; `findings` is what is wrong once nothing moves any more."""

    def __init__(self, sandbox: Sandbox, database_url: str, secret: str) -> None:
        self._sandbox = sandbox
        self._database = Database(database_url, pool_size=2)
        self._database.unlock([secret])

    def close(self) -> None:
        self._database.close()

    def pending(self) -> list[str]:
        """Work that is waiting or in hand."""
        with self._database.read() as session:
            return [
                *(f"inbox {id} is new" for id in self._ids(session, InboxItem.id, InboxItem.state == InboxState.NEW)),
                *(
                    f"outbox {id} waits"
                    for id in self._ids(session, OutboxMessage.id, OutboxMessage.state == OutboxState.WAITING)
                ),
                *(
                    f"effect {key} is open"
                    for key in self._ids(
                        session, Effect.key, Effect.state.in_((EffectState.STARTED, EffectState.UNKNOWN))
                    )
                ),
                *self._workflows(session, "PENDING", "ENQUEUED", "DELAYED"),
            ]

    def moving(self) -> list[str]:
        """What will go on by itself: also refunds of which the platform has not told us the end, for a push that came
        while nobody was there comes again, or their timer asks.
        """
        with self._database.read() as session:
            on_their_way = self._ids(session, Refund.id, Refund.progress.in_(_ON_THEIR_WAY))
            return [*self.pending(), *(f"refund {id} is on its way" for id in on_their_way)]

    def findings(self) -> list[str]:
        """Everything that does not fit; empty when the books agree."""
        with self._sandbox.world.lock, self._database.read() as session:
            found = [
                *self.pending(),
                *self._workflows(session, "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"),
                *self._failures(session),
                *self._complaints(session),
                *self._refunds(session),
                *self._replies(session),
                *self._messages(session),
                *self._cards(session),
                *self._truth(session),
                *self._overdue(session),
            ]
            verdict = Audit(session, self._database.vault.subkey("audit")).verify()
            if verdict.broken_at is not None:
                found.append(f"the audit is broken at {verdict.broken_at}")
        return found

    # ---------------------------------------------------------------------------------------------------------------

    def _ids(self, session: Session, column: object, condition: object) -> list[object]:
        return list(session.scalars(select(column).where(condition)))  # type: ignore[call-overload]  # any column

    def _workflows(self, session: Session, *states: str) -> list[str]:
        table = jobs_table(self._database.is_sqlite)
        names = ", ".join(f"'{state}'" for state in states)
        rows = session.execute(
            text(f"SELECT workflow_uuid, status, executor_id, queue_name FROM {table} WHERE status IN ({names})")
        )
        return [f"workflow {row[0]} is {row[1]} of {row[2]} in {row[3]}" for row in rows]

    def _failures(self, session: Session) -> Iterator[str]:
        for item in session.scalars(select(InboxItem).where(InboxItem.state == InboxState.FAILED)):
            yield f"inbox {item.id} failed, incident {item.incident}"
        for message in session.scalars(select(OutboxMessage).where(OutboxMessage.state == OutboxState.FAILED)):
            yield f"outbox {message.id} failed: {message.error}"

    def _complaints(self, session: Session) -> Iterator[str]:
        real = self._sandbox.wechatpay.complaints
        rows = {row.external_id: row for row in session.scalars(select(Complaint))}
        yield from (f"complaint {id} was lost" for id in real.keys() - rows.keys())
        yield from (f"complaint {id} was invented" for id in rows.keys() - real.keys())
        for id, row in rows.items():
            if id not in real:
                continue
            if real[id].state.value != row.remote_state:
                yield f"{row.number} is {real[id].state.value}, we think {row.remote_state}"
            if (real[id].state.value == "PROCESSED") != (row.progress == Progress.FINISHED):
                yield f"{row.number} is {real[id].state.value}, we say {row.progress}"
        books = self._sandbox.wechatpay.books()
        yield from (f"{id} was completed {n} times" for id, n in books.completions_by_complaint.items() if n > 1)
        yield from (
            f"{id} was decided {len(made)} times" for id, made in books.decisions_by_complaint.items() if len(made) > 1
        )

    def _refunds(self, session: Session) -> Iterator[str]:
        books = self._sandbox.wechatpay.books()
        real = {line.out_refund_no: line for line in books.refunds}
        rows = {row.out_refund_no: row for row in session.scalars(select(Refund))}
        yield from (f"refund {number} was made and forgotten" for number in real.keys() - rows.keys())
        for number, row in rows.items():
            line = real.get(number)
            if line is None:
                if row.progress not in (RefundProgress.DROPPED, RefundProgress.ASKED, RefundProgress.FAILED):
                    yield f"{row.number} was never made, we say {row.progress}"
                continue
            if line.amount_fen != row.amount_fen:
                yield f"{row.number} paid {line.amount_fen} fen, approved were {row.amount_fen}"
            if _STATES.get(RefundProgress(row.progress)) != line.status:
                yield f"{row.number} is {line.status}, we say {row.progress}"
        for transaction, numbers in books.refunds_by_transaction.items():
            paid = sum(real[n].amount_fen for n in numbers if real[n].status in ("SUCCESS", "PROCESSING"))
            payment = self._sandbox.wechatpay.payment_of(transaction)
            if paid > payment.amount_fen:
                yield f"order {transaction} of {payment.amount_fen} fen was refunded {paid} fen"
            if sum(real[n].status == "SUCCESS" for n in numbers) > 1:
                yield f"order {transaction} was refunded {len(numbers)} times"

    def _replies(self, session: Session) -> Iterator[str]:
        books = self._sandbox.wechatpay.books()
        for complaint in session.scalars(select(Complaint)):
            query = select(ComplaintReply).where(ComplaintReply.complaint_id == complaint.id)
            ours = Counter(reply.words for reply in session.scalars(query) if reply.state == ReplyState.SENT)
            theirs = Counter(books.replies_by_complaint.get(complaint.external_id, ()))
            if ours != theirs:
                yield f"{complaint.number} was answered {dict(theirs)}, we say {dict(ours)}"
            yield from (f"{complaint.number} heard {n} times: {words}" for words, n in theirs.items() if n > 1)

    def _posted(self) -> dict[str, list[Message]]:
        """What the bot posted, by chat, in the order it stands there."""
        chats: dict[str, list[Message]] = {}
        for message in self._sandbox.feishu.store.messages.values():
            if message.sender_kind == "bot":
                chats.setdefault(message.chat_id, []).append(message)
        return {chat: sorted(messages, key=lambda one: one.number) for chat, messages in chats.items()}

    def _chat_of(self, receiver: str) -> str:
        kind, _, id = receiver.partition(":")
        return id if kind == "chat" else self._sandbox.feishu.p2p(id).chat_id

    def _messages(self, session: Session) -> Iterator[str]:
        """Every sentence and card once, in the order it was written."""
        due: dict[str, list[str]] = {}
        posted: set[int] = set()
        sent = select(OutboxMessage).where(OutboxMessage.state == OutboxState.SENT).order_by(OutboxMessage.id)
        for message in session.scalars(sent):
            written = due.setdefault(self._chat_of(message.receiver), [])
            if message.card_id is None:
                written.append("text")
            elif message.card_id not in posted:
                posted.add(message.card_id)
                card = session.get(PostedCard, message.card_id)
                written.append(card.message_id or "" if card is not None else "")
        real = {
            chat: [message.message_id if message.is_card else "text" for message in messages]
            for chat, messages in self._posted().items()
        }
        for chat in due.keys() | real.keys():
            if due.get(chat, []) != real.get(chat, []):
                yield f"chat {chat} holds {real.get(chat, [])}, sent were {due.get(chat, [])}"

    def _cards(self, session: Session) -> Iterator[str]:
        """One card per chat and item, and what stands there is what was drawn last."""
        seen = Counter[tuple[str, str, str]]()
        for card in session.scalars(select(PostedCard).where(PostedCard.retired.is_(False))):
            seen[card.kind, card.subject, card.partition] += 1
            message = self._sandbox.feishu.store.messages.get(card.message_id or "")
            if message is None or message.recalled:
                yield f"card {card.id} ({card.kind} {card.subject}) stands nowhere"
                continue
            stands = json.dumps(message.content, ensure_ascii=False, separators=(",", ":"))
            if hashlib.sha256(stands.encode()).hexdigest()[:32] != card.drawn:
                yield f"card {card.id} ({card.kind} {card.subject}) shows something else than was drawn last"
        for (kind, subject, _), count in seen.items():
            if count > 1 and kind in ("complaint", "approval", "digest"):
                yield f"{kind} {subject} has {count} cards in one chat"

    def _truth(self, session: Session) -> Iterator[str]:
        """Every card of a complaint or an approval says how it stands, and offers nothing that is over."""
        for card in session.scalars(select(PostedCard).where(PostedCard.kind.in_(("complaint", "approval")))):
            message = self._sandbox.feishu.store.messages.get(card.message_id or "")
            if message is None:
                continue
            view = shown(message)
            if card.kind == "complaint":
                complaint = session.get(Complaint, int(card.subject))
                if complaint is None:
                    continue
                if complaint.claimed_by is not None and _TAGS[Progress(complaint.progress)] not in view.tags:
                    yield f"card of {complaint.number} says {view.tags}, it is {complaint.progress}"
                if not complaint.is_open and view.buttons:
                    yield f"card of {complaint.number}, which is over, offers {sorted(view.buttons)}"
                refunds = session.scalars(select(Refund).where(Refund.complaint_id == complaint.id))
                for refund in refunds:
                    if refund.progress == RefundProgress.PAID and f"{refund.number} ·" not in view.text:
                        yield f"card of {complaint.number} does not tell of {refund.number}"
                    if refund.progress == RefundProgress.PAID and "· 已退款 ·" not in view.text:
                        yield f"card of {complaint.number} does not say that {refund.number} is paid"
            else:
                request = session.get(ApprovalRequest, int(card.subject))
                if request is None:
                    continue
                if _DECIDED[RequestState(request.state)] not in view.tags:
                    yield f"card of {request.number} says {view.tags}, it is {request.state}"
                if request.state != RequestState.PENDING and view.buttons:
                    yield f"card of {request.number}, which is over, offers {sorted(view.buttons)}"

    def _overdue(self, session: Session) -> Iterator[str]:
        before = self._sandbox.world.clock.now() - _LATE
        for row in session.scalars(select(Deadline).where(Deadline.done_at.is_(None), Deadline.next_at < before)):
            yield f"deadline {row.kind} of {row.subject} was due {row.next_at} and nobody looked"


def refunded(sandbox: Sandbox) -> int:
    """All money that left the merchant, in fen."""
    books = sandbox.wechatpay.books()
    return sum(line.amount_fen for line in books.refunds if line.merchant_id == MERCHANT and line.status == "SUCCESS")
