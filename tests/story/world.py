"""The world of a story: the small company, its customers, the sandbox around the bot, and the bot as a process."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from sandbox.company import GROUP, MERCHANT
from sandbox.demo import ROOT, Demo
from sandbox.faults import CallFault, Fault, PushFault
from sandbox.wechatpay.books import Books
from tests.log_secrets import leaks
from tests.story.actors import Case, Customer, Person
from tests.story.botlog import BotLog
from tests.story.cards import Card
from tests.story.places import Place
from tests.story.truth import Truth
from tests.story.waiting import PATIENCE, eventually


class World:
    """`chen` and `li` are operators, `wang` approves, `zhao` is the administrator, `sun` has no role."""

    def __init__(self, folder: Path, database: str, *, app: Path = ROOT / "app.py", **settings: str) -> None:
        """`app` is the bot's; `settings` are added to its environment."""
        self.demo = Demo(0, [sys.executable, str(app)], database, folder)
        # One process does everything here, on PostgreSQL too: its queues need not look for what others leave.
        self.demo.settings |= {"MPOPS_QUEUE_POLL": "1", **settings}
        self.sandbox = self.demo.sandbox
        self.feishu, self.wechatpay = self.sandbox.feishu, self.sandbox.wechatpay
        self.wechatpay.refund_delay = timedelta(milliseconds=200)
        self.merchant_id = MERCHANT
        self.group = Place(self.feishu, "支付投诉群", lambda: GROUP)
        self.customer = Customer(self)
        company = self.demo.company
        self.chen, self.li, self.wang, self.zhao, self.sun = (
            Person(self, user.open_id, user.name)
            for user in (company.operator, company.colleague, company.approver, company.admin, company.newcomer)
        )
        try:
            self.demo.start()
        except BaseException:
            self.demo.stop()
            raise
        self.log = BotLog(self.demo.folder / "bot.log", lambda written: leaks(written, self.demo))
        self.truth = Truth(self.demo)
        self._hired = 0

    # --- the frame of a test ---------------------------------------------------------------------------------------

    def begin(self) -> None:
        self.log.begin()

    def end(self) -> None:
        """What holds at the end of every story."""
        self.sandbox.world.faults.clear()
        assert self.demo.alive(), "the bot has stopped"
        eventually(lambda: not self.truth.lies(), lambda: "\n".join(["not the truth:", *self.truth.lies()]))
        assert self.truth.audit_is_whole()
        wrong = self.log.complaints()
        assert not wrong, "\n".join(wrong)

    def close(self) -> None:
        self.truth.close()
        self.demo.stop()

    def expects_errors(self, *events: str) -> None:
        """These events must stand in the log as errors in this test."""
        self.log.expected |= set(events)

    # --- time and trouble ------------------------------------------------------------------------------------------

    def advance(self, **span: float) -> None:
        """Move everybody's clock: hours=4, days=1, seconds=-30 …"""
        self.sandbox.world.clock.advance(timedelta(**span))

    def fault(self, platform: str, kind: CallFault | PushFault, path: str = "", **more: Any) -> Fault:
        return self.sandbox.world.faults.add(Fault(platform, kind, path, **more))

    def mended(self) -> None:
        """Whatever was broken works again."""
        self.sandbox.world.faults.clear()

    def quiet(self, patience: float = PATIENCE) -> None:
        """Wait until the bot has worked off what came in and sent what goes out."""
        eventually(lambda: self.truth.waiting() == 0, lambda: f"still waiting: {self.truth.left()}", patience)

    def recovers(self) -> None:
        """Everything works again; time goes by until what had to wait for that has been caught up with."""
        self.mended()
        for _ in range(12):
            self.advance(seconds=40)
            try:
                self.quiet(3)
            except AssertionError:
                continue
            if not self.truth.lies():
                return
        self.quiet()

    def books(self) -> Books:
        """What really happened at WeChat Pay."""
        return self.wechatpay.books()

    def bot_log(self) -> list[dict[str, Any]]:
        return self.log.lines()

    # --- people ----------------------------------------------------------------------------------------------------

    def hires(self, name: str, *roles: str) -> Person:
        """Somebody new in company and group, with these roles for everything, granted in chat by zhao."""
        self._hired += 1
        user = self.feishu.add_user(f"{name}{self._hired}", f"ou_hired_{self._hired:03d}")
        self.feishu.join(user.open_id, GROUP)
        person = Person(self, user.open_id, user.name)
        for role in roles:
            self.zhao.says(f"/授权 @{person.name} {role}").answer("已授予", role)
        return person

    # --- the beaten track ------------------------------------------------------------------------------------------

    def claimed(self, *, by: Person | None = None, **complaint: Any) -> Case:
        """A complaint that somebody (chen) has claimed."""
        case = self.customer.complains(**complaint)
        person = by or self.chen
        assert not person.clicks(case.card(), "认领").refused
        case.card().expect(person.name)
        return case

    def answered(self, words: str = "您好，我们马上处理", *, by: Person | None = None, **complaint: Any) -> Case:
        case = self.claimed(by=by, **complaint)
        self.reply(case, words, by=by)
        return case

    def reply(self, case: Case, words: str, *, by: Person | None = None) -> None:
        """Answer the customer and wait until that stands on the card."""
        person = by or self.chen
        person.clicks(case.card(), "回复客户")
        assert not person.clicks(case.card(), "发送回复", reply=words).refused
        eventually(lambda: words in case.replies, f"the customer never read {words!r}")
        case.card().expect("已回复", words)

    def asks_refund(self, case: Case, *, by: Person | None = None, **form: str) -> Card:
        """Ask for a refund of a claimed complaint; the card in the group that asks for approval."""
        person = by or self.chen
        person.clicks(case.card(), "申请退款")
        toast = person.clicks(case.card(), "提交申请", {"reason": "商品有质量问题", **form})
        assert not toast.refused, toast
        return self.approval(case)

    def approval(self, case: Case, place: Place | None = None) -> Card:
        """The card in that place (the group) that asks for approval for this complaint and was not decided yet."""
        where = place or self.group

        def look() -> Card | None:
            found = [card for card in where.cards("退款审批", case.order) if "同意" in card.buttons]
            return found[-1] if found else None

        return eventually(look, lambda: f"nothing of {case.order} waits for approval in {where}")

    def refunded(self, case: Case, *, by: Iterable[Person] = ()) -> None:
        """Approve what was asked for and wait until the money has arrived."""
        for person in by or (self.wang,):
            assert not person.clicks(self.approval(case, person.private), "同意").refused
        case.card().expect("已退款")
