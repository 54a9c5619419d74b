"""A long run: `mpops bench faults`, or `python -m tests.faults.campaign --faults 1000 --seed 1 --database postgres`.

It goes in rounds, each a fresh deployment with its own seed: some complaints are worked off while the bot is killed,
calls and pushes fail, clocks jump and (on PostgreSQL) connections are cut. After each the books are compared. A round
that fails is told with the command that repeats it.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sandbox.faults import CallFault, Fault, PushFault
from tests.faults.moments import Randomly
from tests.faults.path import NUDGE, whole
from tests.faults.postgres import Postgres
from tests.faults.staff import Staff
from tests.faults.stage import NotReached, Stage, jump

_CALLS = {
    "wechatpay": ("/response", "/refund/domestic", "/complete", "/negotiation-historys", "/complaints-v2/"),
    "feishu": ("/im/v1/messages", "/auth/", "/im/v1/images"),
}


class Round:
    """One deployment under fire. `faults` counts what really struck."""

    def __init__(self, stage: Stage, chance: random.Random, postgres: Postgres | None) -> None:
        self._stage, self._chance, self._postgres = stage, chance, postgres
        self._planned: list[tuple[Fault, int]] = []
        self._others = 0

    @property
    def faults(self) -> int:
        struck = sum(fault.struck for fault, _ in self._planned)
        return struck + self._others + len(self._stage.strikes)

    def plan(self) -> None:
        for _ in range(self._chance.randrange(4, 12)):
            platform = self._chance.choice(("wechatpay", "feishu"))
            if self._chance.random() < 0.7:
                kinds = [kind for kind in CallFault if platform == "wechatpay" or kind is not CallFault.BAD_SIGNATURE]
                path, call = self._chance.choice(_CALLS[platform]), self._chance.choice(kinds)
                seconds = self._chance.uniform(0.5, 4) if call is CallFault.LATE else 0.0
                self._add(Fault(platform, call, path, times=self._chance.randrange(1, 3), seconds=seconds))
            else:
                push = self._chance.choice(tuple(PushFault))
                self._add(
                    Fault(platform, push, times=self._chance.randrange(1, 3), seconds=self._chance.uniform(1, 20))
                )

    def run(self) -> None:
        """Raises AssertionError with all that the auditor found."""
        stage, chance = self._stage, self._chance
        self.plan()
        before = {chance.randrange(1, 120) for _ in range(chance.randrange(3))}
        after = {chance.randrange(1, 120) for _ in range(chance.randrange(3))}
        stage.moments.choose(stage.strike, before=before, after=after)
        staff = Staff(stage.sandbox, stage.company, chance)
        over = threading.Event()
        meddler = threading.Thread(target=self._meddle, args=(over, random.Random(chance.random())), daemon=True)
        try:
            with Randomly(random.Random(chance.random()), stage.strike, chance.randrange(6), (0.1, 5)):
                meddler.start()
                for _ in range(chance.randrange(1, 5)):
                    staff.complaint()
                staff.work_off(300, self._nudge)
        finally:
            over.set()
            meddler.join(timeout=60)
        stage.sandbox.world.faults.clear()
        whole(stage, staff)

    def _add(self, fault: Fault) -> None:
        self._planned.append((self._stage.sandbox.world.faults.add(fault), fault.times))

    def _nudge(self) -> None:
        # A push that was lost is made up for by the poll, every five minutes.
        self._stage.sandbox.world.clock.advance(self._chance.choice((NUDGE, NUDGE, timedelta(minutes=5))))

    def _meddle(self, over: threading.Event, chance: random.Random) -> None:
        acts: list[Callable[[], object]] = [lambda: jump(self._stage, chance)]
        if self._postgres is not None:
            acts += [self._postgres.cut, self._postgres.restart]
        for _ in range(chance.randrange(5)):
            if over.wait(chance.uniform(0.5, 6)):
                return
            chance.choice(acts)()
            self._others += 1


@dataclass(frozen=True, slots=True)
class Result:
    faults: int
    rounds: int
    failed: int
    seconds: float


def campaign(faults: int, seed: int, database: str, first: int, say: Callable[[str], object]) -> Result:
    """Let at least so many faults strike, in rounds beginning with `first`."""
    failed, struck, number, started = 0, 0, first, time.monotonic()
    with ExitStack() as stack:
        postgres = stack.enter_context(Postgres()) if database == "postgres" else None
        while struck < faults:
            chance = random.Random(f"{seed}:{number}")
            folder = Path(tempfile.mkdtemp(prefix=f"faults-{seed}-{number}-"))
            with Stage(folder / "stage", postgres.database() if postgres is not None else "") as stage:
                fire = Round(stage, chance, postgres)
                try:
                    fire.run()
                    verdict = "whole"
                except (AssertionError, NotReached) as found:
                    failed += 1
                    verdict = (
                        f"FAILED, see {folder}; again: python -m tests.faults.campaign --faults 1 --seed {seed}"
                        f" --round {number} --database {database}\n{found}"
                    )
            struck += max(1, fire.faults)
            say(f"round {number} of seed {seed}: {fire.faults} faults, {struck} in all, {verdict}")
            number += 1
    result = Result(struck, number - first, failed, time.monotonic() - started)
    say(f"{result.faults} faults in {result.rounds} rounds and {result.seconds:.0f} s; {failed} rounds failed.")
    return result


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.campaign", description=__doc__)
    parser.add_argument("--faults", type=int, default=1000, help="how many faults to let strike (default 1000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--round", type=int, default=1, help="the round to begin with")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    given = parser.parse_args()

    def say(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    sys.exit(1 if campaign(given.faults, given.seed, given.database, given.round, say).failed else 0)


if __name__ == "__main__":
    main()
