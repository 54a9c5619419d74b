"""Work on complaints that calls the channel: reading them, answering, finishing, fetching pictures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import structlog

from adapters.errors import ChannelError, NotFound, OutcomeUnknown, Refused
from adapters.ports.complaints import ComplaintsPort
from adapters.values import Author, ComplaintDetails, ComplaintNotice, ComplaintState
from bot.feishu.errors import FeishuError
from bot.feishu.port import MessagesPort
from bot.jobs.engine import Payload, channel_queue
from bot.jobs.retries import TryAgain
from bot.telemetry import correlation
from bot.texts import text
from bot.unit import Unit, Units, to_chat
from handlers.complaints import deadlines
from handlers.complaints.cards import CARD
from handlers.complaints.states import Event, advance
from handlers.complaints.sync import merge
from handlers.shared.accounts.registry import Channels
from handlers.shared.phrases import ping
from storage.areas.complaints import Complaint, ComplaintReply, Complaints, Progress, ReplyState
from storage.areas.configuration import Configuration
from storage.core.effects import Effects, EffectState
from storage.core.schedule import Deadline

log = structlog.get_logger("complaints")

SYNC = "complaint.sync"
POLL = "complaint.poll"
RETRY_REPLY = "complaint.retry_reply"
RETRY_COMPLETE = "complaint.retry_complete"
REPLY_ACTION = "complaint.reply"  # of calls that change something outside
COMPLETE_ACTION = "complaint.complete"
_LOOK_BACK = timedelta(days=29)
_BEIJING = ZoneInfo("Asia/Shanghai")
_RETRY = timedelta(seconds=30)
_COME_BACK = timedelta(seconds=90)
_READ_AGAIN = timedelta(hours=1)
_MOST_PICTURES = 4
_CLOCKS_APART = timedelta(minutes=5)  # WeChat Pay refuses every call of a clock that is further off (签名常见问题)
_TOGETHER = 100  # complaints looked up in one query


def _differs(ours: Complaint | None, told: ComplaintDetails) -> bool:
    return (
        ours is None
        or ours.remote_state != told.raw_state
        or ours.times != told.times
        or ours.user_waits != told.user_waits
        or ours.fully_refunded != told.fully_refunded
    )


def on_notice(unit: Unit, account_key: str, notice: ComplaintNotice) -> None:
    """A push says that something happened to a complaint: read it. The push itself holds nothing else."""
    ask_sync(unit, account_key, notice.complaint_id, unit.cause)


def ask_sync(unit: Unit, account_key: str, external_id: str, cause: str) -> None:
    account = unit.configuration.account(account_key)
    if account is not None:
        payload = {"account": account_key, "external_id": external_id}
        unit.enqueue(SYNC, f"sync-{external_id}-{cause}"[:200], payload, queue=channel_queue(account.channel))


def reply_key(id: int) -> str:
    """Under which the call that sends this answer is written down."""
    return f"reply:{id}"


@dataclass(frozen=True, slots=True)
class ComplaintJobs:
    units: Units
    channels: Channels
    feishu: MessagesPort

    # --- reading ---------------------------------------------------------------------------------------------------

    def sync(self, payload: Payload) -> None:
        """Read one complaint and its history, and bring ours up to date."""
        account, external_id = payload["account"], payload["external_id"]
        read_at = self.units.clock.now()
        try:
            channel = self.channels.get(account)
            port = channel.require(ComplaintsPort)
            told = port.detail(external_id)
            history = port.history(external_id)
        except NotFound:
            log.warning("complaint.not_found", account=account)
            return
        except ChannelError as error:
            if error.retryable:
                raise TryAgain from error  # and if that does not help, the next poll will
            raise
        with self.units.write(f"sync-{external_id}") as unit:
            merge(unit, account, channel.kind, told, history, read_at)

    def poll(self, payload: Payload) -> None:
        """Look for what no push told: new complaints of the last 30 days, and every change of the open ones.

        docs/platforms/wechatpay.md ("Complaints: list and details").
        """
        with self.units.read() as session:
            accounts = [account.key for account in Configuration(session).accounts()]
        for account in accounts:
            channel = self.channels.find(account)
            port = channel.get(ComplaintsPort) if channel is not None else None
            if channel is None or port is None:
                continue
            try:
                self._poll(account, port, payload.get("at", ""))
            except ChannelError as error:
                log.warning("complaint.poll_failed", account=account, why=type(error).__name__, code=error.code)

    def _poll(self, account: str, port: ComplaintsPort, at: str) -> None:
        today = self.units.clock.now().astimezone(_BEIJING).date()
        changed: list[str] = []
        seen: set[str] = set()
        listed = port.listed(today - _LOOK_BACK, today)
        while some := list(islice(listed, _TOGETHER)):
            seen.update(told.id for told in some)
            with self.units.read() as session:
                known = Complaints(session).by_externals(account, [told.id for told in some])
            changed += [told.id for told in some if _differs(known.get(told.id), told)]
        with self.units.read() as session:
            # Some news changes nothing in the list (a further message): open ones are read again now and then.
            before = self.units.clock.now() - _READ_AGAIN
            stale = Complaints(session).open_external_ids(account, synced_before=before)
            changed += [id for id in stale if id not in changed]
            changed += [id for id in Complaints(session).open_external_ids(account) if id not in seen | set(changed)]
        for external_id in changed:
            with self.units.write(f"poll-{at}") as unit:
                ask_sync(unit, account, external_id, f"poll-{at}")

    def pictures(self, payload: Payload) -> None:
        """Fetch a complaint's pictures with the account's credentials and hand them to Feishu."""
        with self.units.read() as session:
            complaint = Complaints(session).get(payload["id"])
        if complaint is None:
            return
        channel = self.channels.find(complaint.account_key)
        port = channel.get(ComplaintsPort) if channel is not None else None
        if port is None:
            return
        keys: list[str] = []
        for url in complaint.picture_urls[:_MOST_PICTURES]:
            try:
                picture = port.picture(url)
                keys.append(self.feishu.upload_image(picture.content, picture.content_type))
            except (ChannelError, FeishuError) as error:
                log.warning("complaint.picture_failed", complaint=complaint.number, why=type(error).__name__)
        if keys:
            with self.units.write(f"pictures-{complaint.id}") as unit:
                row = unit.of(Complaints).get(complaint.id, lock=True)
                if row is not None:
                    row.picture_keys = keys
                    unit.session.flush()
                    unit.refresh(CARD, str(row.id))

    # --- answering -------------------------------------------------------------------------------------------------

    def send_reply(self, payload: Payload) -> None:
        """Send one answer, once. A repeat first looks whether it arrived."""
        key = reply_key(payload["id"])
        with self.units.write(key) as unit:
            reply = unit.of(Complaints).reply(payload["id"])
            complaint = unit.of(Complaints).get(reply.complaint_id) if reply is not None else None
            if reply is None or complaint is None or reply.state not in (ReplyState.SENDING, ReplyState.UNKNOWN):
                return
            _, again = unit.of(Effects).begin(
                key, action=REPLY_ACTION, account_key=complaint.account_key, subject=f"complaint:{complaint.id}",
                request={"words": reply.words}, at=unit.now,
            )  # fmt: skip
            # If this process dies from here on, or fails in a way nobody thought of, the timer comes back to it.
            unit.deadlines.set(RETRY_REPLY, str(reply.id), unit.now + _COME_BACK, unit.now + _COME_BACK)
        try:
            port = self.channels.get(complaint.account_key).require(ComplaintsPort)
            if not (again and self._arrived(port, complaint, reply)):
                self._reply_once(port, complaint, reply, key)
        except Refused as error:
            self._reply_settled(reply.id, ReplyState.REFUSED, EffectState.REFUSED, error.message)
            return
        except ChannelError as error:
            unknown = isinstance(error, OutcomeUnknown)
            log.warning("complaint.reply_later", complaint=complaint.number, why=type(error).__name__)
            self._later(RETRY_REPLY, str(reply.id), key, unknown=unknown)
            return
        self._reply_settled(reply.id, ReplyState.SENT, EffectState.DONE, None)
        self._refresh(complaint, f"reply-{reply.id}")

    def _reply_once(self, port: ComplaintsPort, complaint: Complaint, reply: ComplaintReply, key: str) -> None:
        try:
            port.reply(
                complaint.external_id, complaint.merchant_id, reply.words,
                immediate=complaint.immediate,
                # The moment is in it because ids begin anew from those of the backup when one was restored.
                idempotency_key=f"mpops-{key}-{reply.written_at.timestamp() * 1000:.0f}",
            )  # fmt: skip
        except OutcomeUnknown:
            if not self._arrived(port, complaint, reply):
                raise

    def _arrived(self, port: ComplaintsPort, complaint: Complaint, reply: ComplaintReply) -> bool:
        """Whether the channel's history holds our answer. Raises ChannelError when it cannot be read."""
        since = reply.written_at - _CLOCKS_APART
        return any(
            entry.author is Author.MERCHANT and entry.text.strip() == reply.words.strip() and entry.at >= since
            for entry in port.history(complaint.external_id)
        )

    def _reply_settled(self, id: int, state: ReplyState, effect: EffectState, error: str | None) -> None:
        with self.units.write(f"reply:{id}:settled") as unit:
            reply = unit.of(Complaints).reply(id)
            if reply is None or reply.state in (ReplyState.SENT, ReplyState.REFUSED):
                return
            reply.state, reply.error = state, (error or "")[:200] or None
            unit.deadlines.meet(RETRY_REPLY, str(id), unit.now)
            unit.of(Effects).settle(reply_key(id), effect, unit.now, error)
            complaint = unit.of(Complaints).get(reply.complaint_id, lock=True)
            author = unit.people.by_id(reply.person_id)
            actor = unit.actor(author.open_id) if author is not None else None
            if complaint is None:
                return
            subject = f"complaint:{complaint.id}"
            if state is ReplyState.SENT:
                reply.sent_at = unit.now
                target = advance(Progress(complaint.progress), Event.REPLIED)
                if target is not None:
                    complaint.progress = target
                if complaint.first_replied_at is None:
                    complaint.first_replied_at = unit.now
                complaint.user_waits = False
                deadlines.answered(unit, complaint)
                unit.audit("complaint.replied", subject, actor, number=complaint.number)
            else:
                unit.audit("complaint.reply_refused", subject, actor, number=complaint.number, why=error or "")
                if complaint.chat_id and author is not None:
                    words = text("complaint.reply_failed", who=ping(author), number=complaint.number, why=error or "")
                    unit.send_text(to_chat(complaint.chat_id), words)
            unit.session.flush()
            unit.refresh(CARD, str(complaint.id))

    # --- finishing -------------------------------------------------------------------------------------------------

    def complete(self, payload: Payload) -> None:
        with self.units.write(f"complete-{payload['id']}") as unit:
            complaint = unit.of(Complaints).get(payload["id"])
            if complaint is None or complaint.progress != Progress.FINISHING:
                # It ended some other way, or went on: what became of our last call is of no interest any more.
                open_call = unit.of(Effects).newest(f"complete:{payload['id']}")
                if open_call is not None and open_call.state in (EffectState.STARTED, EffectState.UNKNOWN):
                    unit.of(Effects).settle(open_call.key, EffectState.DONE, unit.now)
                    unit.deadlines.meet(RETRY_COMPLETE, str(payload["id"]), unit.now)
                return
            key = f"complete:{complaint.id}:{complaint.times}"
            unit.of(Effects).begin(
                key, action=COMPLETE_ACTION, account_key=complaint.account_key,
                subject=f"complaint:{complaint.id}", request={}, at=unit.now,
            )  # fmt: skip
            unit.deadlines.set(RETRY_COMPLETE, str(complaint.id), unit.now + _COME_BACK, unit.now + _COME_BACK)
        try:
            port = self.channels.get(complaint.account_key).require(ComplaintsPort)
            # Finishing twice is refused and changes nothing, but looking first tells the truth about the reason.
            if port.detail(complaint.external_id).state is not ComplaintState.PROCESSED:
                port.complete(complaint.external_id, complaint.merchant_id)
        except Refused as error:
            self._complete_refused(complaint.id, key, error.message)
            return
        except ChannelError as error:
            self._later(RETRY_COMPLETE, str(complaint.id), key, unknown=isinstance(error, OutcomeUnknown))
            return
        with self.units.write(f"{key}-done") as unit:
            unit.of(Effects).settle(key, EffectState.DONE, unit.now)
        self._refresh(complaint, key)

    def _complete_refused(self, id: int, key: str, why: str) -> None:
        with self.units.write(f"{key}-refused") as unit:
            unit.of(Effects).settle(key, EffectState.REFUSED, unit.now, why)
            unit.deadlines.meet(RETRY_COMPLETE, str(id), unit.now)
            complaint = unit.of(Complaints).get(id, lock=True)
            if complaint is None or complaint.progress != Progress.FINISHING:
                return
            complaint.progress = advance(Progress.FINISHING, Event.FINISH_REFUSED) or complaint.progress
            unit.audit("complaint.finish_refused", f"complaint:{id}", None, number=complaint.number, why=why)
            if complaint.chat_id:
                unit.send_text(
                    to_chat(complaint.chat_id), text("complaint.finish_failed", number=complaint.number, why=why)
                )
            unit.session.flush()
            unit.refresh(CARD, str(id))

    # --- common ----------------------------------------------------------------------------------------------------

    def _refresh(self, complaint: Complaint, cause: str) -> None:
        """Read back what the channel makes of our act, for it does not push our own acts.

        docs/platforms/wechatpay.md ("Notifications")
        """
        with self.units.write(cause) as unit:
            ask_sync(unit, complaint.account_key, complaint.external_id, cause)

    def _later(self, kind: str, subject: str, effect_key: str, *, unknown: bool) -> None:
        with self.units.write(f"{kind}-{subject}") as unit:
            if unknown:
                unit.of(Effects).settle(effect_key, EffectState.UNKNOWN, unit.now)
            unit.deadlines.set(kind, subject, unit.now + _RETRY, unit.now + _RETRY)

    def retry_reply(self, unit: Unit, deadline: Deadline) -> datetime | None:
        return self._retry(unit, deadline, "complaint.send_reply", "reply")

    def retry_complete(self, unit: Unit, deadline: Deadline) -> datetime | None:
        return self._retry(unit, deadline, "complaint.complete", "complete")

    def _retry(self, unit: Unit, deadline: Deadline, job: str, name: str) -> datetime | None:
        id = f"{name}-{deadline.subject}-retry-{deadline.due_at.isoformat()}"
        key = f"{name}:{deadline.subject}"
        effect = unit.of(Effects).newest(key)
        unit.enqueue(
            job,
            id,
            {"id": int(deadline.subject), **correlation.of(effect.correlation_id if effect is not None else None)},
        )
        return None
