"""What help brings to the house."""

from __future__ import annotations

from collections.abc import Callable

from bot.feishu.values import BotAddedToChat, BotMenu, BotRemovedFromChat, ChatDisbanded, MessageRecalled
from bot.part import Part
from bot.router import Router
from handlers.help import table


def part(router: Callable[[], Router]) -> Part:
    """`router`: knows the commands of all parts, so it comes after them."""
    return Part(
        commands=table.COMMANDS,
        clickables=table.CLICKABLES,
        drawings={table.HELP: table.draw_help(router), table.HOME: table.draw_home, table.TODO: table.draw_todo},
        events={
            BotAddedToChat: table.on_added,
            BotRemovedFromChat: table.on_removed,
            ChatDisbanded: table.on_removed,
            BotMenu: table.on_menu,
            MessageRecalled: table.on_recalled,
        },
    )
