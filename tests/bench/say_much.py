"""A process of its own that puts many messages into the outbox, in one transaction; the bot beside it sends them."""

from __future__ import annotations

import sys

import app
from bot.settings import load
from bot.texts import text
from bot.unit import to_chat


def main(count: int, chats: list[str]) -> None:
    bot = app.build(load())
    bot.engine.start(execute=False)
    with bot.units.write("bench") as unit:
        for number in range(count):
            unit.send_text(to_chat(chats[number % len(chats)]), text("click.received"))
    bot.engine.stop()
    bot.database.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
