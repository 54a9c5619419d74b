"""Help, the home card and what waits for one person: drawn of what the areas bring."""

from __future__ import annotations

from bot.area import Area
from bot.contributions.cards import CardKind
from bot.contributions.events import OnEvent
from bot.feishu.values import BotAddedToChat, BotMenu, BotRemovedFromChat, ChatDisbanded, MessageRecalled
from bot.texts import text
from handlers.help import table
from handlers.shared.house import House


def area(house: House) -> Area:
    return Area(
        "help",
        text("help.area.help"),
        (
            *table.COMMANDS,
            *table.CLICKS,
            CardKind(table.HELP, table.draw_help),
            CardKind(table.HOME, table.draw_home),
            CardKind(table.TODO, table.draw_todo),
            OnEvent(BotAddedToChat, table.on_added),
            OnEvent(BotRemovedFromChat, table.on_removed),
            OnEvent(ChatDisbanded, table.on_removed),
            OnEvent(BotMenu, table.on_menu),
            OnEvent(MessageRecalled, table.on_recalled),
        ),
    )
