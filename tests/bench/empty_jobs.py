"""A process of its own that does nothing but empty jobs at a pace; prints how long each took to begin, in ms."""

from __future__ import annotations

import os
import sys
import threading
import time

from bot.jobs.engine import Engine, Payload
from bot.telemetry.logs import configure
from storage.database import Database
from storage.migrate import migrate


def main(pace: float, count: int) -> None:
    configure("WARNING", "json")
    database = Database(os.environ["MPOPS_DATABASE_URL"])
    migrate(database)
    database.unlock([os.environ["MPOPS_SECRET_KEY"]])
    engine = Engine(database, "bench-0")
    begun: list[float] = []
    done = threading.Event()

    def job(payload: Payload) -> None:
        begun.append((time.perf_counter() - float(payload["at"])) * 1000)
        if len(begun) == count + 1:
            done.set()

    engine.register("bench.empty", job)
    engine.start(execute=True)
    run = f"bench-{time.time_ns()}"
    for number in range(count + 1):
        if number == 1:
            time.sleep(1.0)  # the first one is for warming up
            started = time.perf_counter()
        if number:
            time.sleep(max(0.0, started + (number - 1) / pace - time.perf_counter()))
        with database.write() as session:
            engine.enqueue(session, "bench.empty", f"{run}-{number}", {"at": time.perf_counter()})
    done.wait(60)
    engine.stop()
    database.close()
    sys.stdout.write("\n".join(f"{each:.3f}" for each in begun[1:]))


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]))
