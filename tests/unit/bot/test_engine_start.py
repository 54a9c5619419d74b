"""What a start sets holds for that start."""

from __future__ import annotations

import time
from pathlib import Path

from bot.jobs.engine import Engine
from storage.database import Database
from tests.databases import migrated_url
from tests.rows import SECRET
from tests.story.waiting import eventually


def test_what_is_set_now_holds_from_the_first_look(tmp_path: Path) -> None:
    """The thread of a queue reads once how often to look; not what a start before this one had left there."""
    database = Database(migrated_url("sqlite", tmp_path))
    database.unlock([SECRET])
    done: list[str] = []
    for poll in (30.0, 0.5):
        engine, web = Engine(database, "test-0", poll=poll), Engine(database, "web-0")
        name = f"job-{poll}"
        engine.register(name, lambda payload: done.append(payload["id"]))
        engine.start(execute=True)
        web.start(execute=False)
        if poll != 30.0:
            time.sleep(3.0)  # until nothing wakes it any more because it has just begun
            with database.write() as session:
                web.enqueue(session, name, "left", {"id": "left"})
            eventually(lambda: done == ["left"], lambda: f"done: {done}", 5.0)
        web.stop()
        engine.stop()
    database.close()
