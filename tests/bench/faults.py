"""The long campaign of faults, on each database in turn; docs/reliability.md says what strikes and what is compared."""

from __future__ import annotations

from tests.bench.stage import Stage
from tests.bench.table import Measured, Ratio
from tests.faults.campaign import campaign

_SEED = 1


def measure(stage: Stage) -> Measured:
    found = Measured("faults", "faults that struck while people worked, and what they left behind",
                     ("database", "faults", "rounds", "seconds", "rounds that failed"))  # fmt: skip
    share = max(1, stage.faults // len(stage.databases))
    for kind in stage.databases:
        result = campaign(share, _SEED, kind, 1, stage.say)
        found.rows.append((kind, result.faults, result.rounds, result.seconds, result.failed))
        found.ratios.append(Ratio(f"rounds that failed, {kind}", (float(result.failed),), 0, at_most=True, unit=""))
    return found
