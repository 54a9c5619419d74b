"""One source tree's real processes beside a sandbox of the present tree, and a clock that goes in even steps."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.company import MERCHANT
from sandbox.demo import Demo
from sandbox.faults import Fault, PushFault
from sandbox.wechatpay.refunds import RefundStatus

HERE = Path(__file__).parent
BEGIN = datetime(2027, 3, 1, 2, 0, 0, tzinfo=UTC)  # a Monday, ten o'clock in Shanghai
_BEFORE = timedelta(minutes=9)  # everything starts so long before the play; what is written then counts as "before"
SLOT = timedelta(seconds=30)  # each step begins at a multiple of it; no step takes as long
# How many jobs of the schedule run every five minutes, and at the seventh minute of each hour; the others run together
# with the former.
_EACH_FIVE, _EACH_SEVENTH = 2, 1
_OTHERS = 0.5  # seconds in which those others are begun
_TICKS = 2.2  # seconds in which every process has looked at its schedule
_SHORTLY = timedelta(seconds=8)
_NEARLY = timedelta(seconds=22)
ABROAD, ABROAD_MERCHANT = "oc_abroad", "1900000110"
PATIENCE = 40.0
_LOOK = 0.03

# What the bot has not worked off yet; of each chat's messages only the first one counts, for the others wait for it.
_WAITING = """
SELECT (SELECT count(*) FROM inbox WHERE state = 'new'),
       (SELECT count(*) FROM outbox AS one WHERE state = 'waiting' AND (attempts = 0 OR due_at <= :now) AND id =
          (SELECT min(id) FROM outbox AS other WHERE other.lane = one.lane AND other.state = 'waiting')),
       (SELECT count(*) FROM deadline WHERE done_at IS NULL AND next_at <= :now),
       (SELECT count(*) FROM card WHERE NOT retired AND redraw_at <= :now),
       (SELECT count(*) FROM workflow_status WHERE status IN ('ENQUEUED', 'PENDING'))
"""
_KINDS = ("inbox", "outbox", "deadlines", "cards", "engine")


class NotIdle(AssertionError):
    """The bot did not come to rest, or what was waited for did not happen."""


@dataclass(frozen=True)
class Tree:
    """A source tree, and the interpreter whose packages it runs with."""

    folder: Path
    python: str

    @property
    def app(self) -> list[str]:
        return [self.python, str(self.folder / "app.py")]


class Stage(Demo):
    """`with Stage(tree, folder)`: the bot serves and everybody's clock stands at `BEGIN`."""

    def __init__(self, tree: Tree, folder: Path) -> None:
        super().__init__(0, tree.app, "", folder)
        self.tree = tree
        self.abroad = self.sandbox.wechatpay.add_merchant(ABROAD_MERCHANT, "Spruce Abroad")
        feishu = self.sandbox.feishu
        reader = feishu.add_user("何静", "ou_reader_he", "He Jing")
        feishu.add_chat("Spruce Abroad", [*self.company.group.members, reader], chat_id=ABROAD)
        # Money needs long enough for what came before to be written down, and arrives within its step.
        self.sandbox.wechatpay.refund_delay = timedelta(seconds=1.5)
        self.settings |= {
            "SANDBOX_ABROAD_SERIAL": self.abroad.serial,
            "SANDBOX_ABROAD_V3_KEY": self.abroad.api_v3_key,
            "SANDBOX_ABROAD_KEY_ID": self.abroad.platform_public_key_id or "",
        }
        self.slow_money = False  # a refund may stay under way at the end of a step
        self.clock = self.sandbox.world.clock
        self.slow = 0.0  # seconds of the slowest step; more than SLOT, and two runs may differ
        self._planned = BEGIN
        self._began = time.monotonic()
        self.clock.advance(BEGIN - _BEFORE - self.clock.now())
        # What the platform tells of money and of the complaint behind it would overtake each other: the latter waits.
        self._held = self.sandbox.world.faults.add(
            Fault("wechatpay", PushFault.DELAY, "COMPLAINT.STATE", times=-1, seconds=30)
        )
        self._told = [0, 0]  # how many had been held up when the step before began, and when this one began
        self.late = 0  # others that this step holds up on purpose

    def __enter__(self) -> Stage:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(self) -> str:
        self.sandbox.start()
        self.company.merchant.write_files(self.folder / "keys")
        self.abroad.write_files(self.folder / "abroad")
        shutil.copy(HERE / "company.toml", self.folder / "company.toml")
        applied = self.cli("apply", str(self.folder / "company.toml"))
        if applied.returncode:
            raise RuntimeError(f"the company was refused:\n{applied.stdout}{applied.stderr}")
        self.restart()
        self.connect()
        self.wait(lambda: len(self.rows("SELECT job FROM schedule_run")) >= 5, "the first look at the schedule")
        ticked = "SELECT name FROM process WHERE ticked_at IS NOT NULL"
        self.wait(lambda: self.rows(ticked), "the first sign of life that tells of the schedule")
        self._to(BEGIN)
        self.rest()
        return self.sandbox.url

    def connect(self) -> None:
        super().connect()
        pay = self.sandbox.wechatpay
        for merchant, account in ((MERCHANT, "pay-main"), (ABROAD_MERCHANT, "pay-abroad")):
            pay.set_notify_url(merchant, f"{self.bot_url}/notify/{account}")
            pay.set_refund_notify_url(merchant, f"{self.bot_url}/notify/{account}")

    def cli(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """`mpops …` of the played tree."""
        return subprocess.run(
            [*self.tree.app, *arguments], env={**self.environment(), **settings}, capture_output=True, text=True,
            check=False, timeout=100, cwd=self.folder,
        )  # fmt: skip

    # --- time ------------------------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def step(self, by: timedelta = SLOT) -> None:
        """On to the next step, at least `by` later, and wait for what that makes due."""
        self._planned += max(1, -(-by // SLOT)) * SLOT
        while self._planned - self.now < timedelta(0):
            self._planned += SLOT  # the machine was very slow
        if by > SLOT:
            # What comes due on the way is done before the jobs that run by the clock, and not together with them.
            self._to(self._planned - _SHORTLY)
            self._told = [self._held.struck, self._held.struck]
            self.rest()
        self._to(self._planned)

    def until(self, moment: datetime) -> None:
        """On to that moment, which must be a multiple of a step."""
        if moment <= self._planned:
            raise ValueError(f"it is {self._planned} already")
        self._planned = moment
        self._to(moment)

    def _to(self, moment: datetime) -> None:
        took, self._began = time.monotonic() - self._began, time.monotonic()
        if moment > BEGIN:
            self.slow = max(self.slow, took)
        if moment == self._planned:
            self._told, self.late = [self._told[1], self._held.struck], 0
        before = self.now
        self.clock.advance(moment - self.now)
        self._run_by_the_clock(before)

    def end_step(self) -> None:
        """Almost to the next step. What was put off by a round time in an earlier step comes due while this one is
        played, or here, but never between the two."""
        self.clock.advance(max(timedelta(0), self._planned + _NEARLY - self.now))
        self._told = [self._told[1], self._told[1]]

    def ticked(self) -> None:
        """Every process looks at its schedule each second; nothing outside shows when it has."""
        time.sleep(_TICKS)

    def _run_by_the_clock(self, since: datetime) -> None:
        """Wait until the jobs whose hour has come are begun: their runs are written down one after the other."""
        fives = self.now.replace(minute=self.now.minute // 5 * 5, second=0, microsecond=0)
        sevens = self.now.replace(minute=7, second=0, microsecond=0)
        sevens -= timedelta(hours=0 if sevens <= self.now else 1)
        due = [(moment, jobs) for moment, jobs in ((fives, _EACH_FIVE), (sevens, _EACH_SEVENTH)) if moment > since]
        if not due:
            return
        first, jobs = min(moment for moment, _ in due), sum(jobs for _, jobs in due)
        query = "SELECT count(*) FROM schedule_run WHERE last_at >= :first"
        begun = f"{first.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        self.wait(lambda: self.rows(query, first=begun)[0][0] >= jobs, "the jobs that run by the clock")
        time.sleep(_OTHERS)

    # --- rest ------------------------------------------------------------------------------------------------------

    def rows(self, query: str, **values: object) -> list[tuple[Any, ...]]:
        """What the bot's database answers to plain SQL."""
        with sqlite3.connect(self.folder / "mpops.db", timeout=20) as connection:
            found = connection.execute(query, values).fetchall()
        connection.close()
        return found

    def busy(self) -> str:
        """What is not done yet, in words; "" at rest."""
        on_their_way = [one for one in self.sandbox.world.deliveries.attempts if not one.tries and not one.given_up]
        if len(on_their_way) > self._held.struck - self._told[0] + self.late:
            return f"pushes: {[one.push.note or one.push.event_type for one in on_their_way]}"
        with self.sandbox.world.lock:
            money = [one for one in self.sandbox.wechatpay.ledger.refunds.values() if _moves(one.status)]
        if money and not self.slow_money:
            return f"refunds under way: {len(money)}"
        [counts] = self.rows(_WAITING, now=f"{self.now.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}")
        return ", ".join(f"{kind}: {count}" for kind, count in zip(_KINDS, counts, strict=True) if count)

    def rest(self) -> None:
        """Wait until nothing is left to do."""
        self.wait(lambda: not self.busy() and not self.busy(), self.busy)

    def wait(self, met: Callable[[], object], told: Callable[[], str] | str) -> None:
        until = time.monotonic() + PATIENCE
        while not met():
            if not self.alive():
                raise NotIdle(f"the bot has stopped; see {self.folder / 'bot.log'}")
            if time.monotonic() > until:
                raise NotIdle(f"still waiting: {told if isinstance(told, str) else told()}")
            time.sleep(_LOOK)

    # --- books -----------------------------------------------------------------------------------------------------

    def opened(self) -> dict[str, list[dict[str, Any]]]:
        """Every table's rows with their sealed values opened, by the played tree's own keys."""
        ran = subprocess.run(
            [self.tree.python, "-c", (HERE / "opening.py").read_text(), str(self.tree.folder)], env=self.environment(),
            capture_output=True, text=True, check=False, timeout=60, cwd=self.folder,
        )  # fmt: skip
        if ran.returncode:
            raise RuntimeError(f"the rows could not be opened:\n{ran.stderr}")
        found: dict[str, list[dict[str, Any]]] = json.loads(ran.stdout)
        return found


def _moves(status: RefundStatus) -> bool:
    return status is RefundStatus.PROCESSING
