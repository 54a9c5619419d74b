"""A process of its own that takes many events in, as its doors would; the bot beside it works them off."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import app
from bot.feishu.envelope import Envelope
from bot.incoming.batching import BatchWriter
from bot.incoming.processing import FEISHU
from bot.settings import load
from storage.core.inbox import Arrival

_KIND = "contact.user.updated_v3"


def main(count: int) -> None:
    bot = app.build(load())
    bot.engine.start(execute=False)
    batches = BatchWriter(bot.units)

    def take(number: int) -> None:
        now = datetime.now(UTC)
        id = f"bench-{now.timestamp()}-{number}"
        person = {"open_id": f"ou_bench_{number}", "name": f"{number}", "status": {"is_activated": True}}
        body = Envelope(id, _KIND, "2.0", now, {"object": person}).dump()
        batches.store(Arrival(f"feishu:{id}", FEISHU, _KIND, body, now))

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(take, range(count)))
    bot.engine.stop()
    bot.database.close()


if __name__ == "__main__":
    main(int(sys.argv[1]))
