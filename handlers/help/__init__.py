"""Help, the home card and what waits for one person: drawn of what the areas bring."""

from __future__ import annotations

from bot.area import Area
from bot.contributions.cards import CardKind
from bot.contributions.events import OnEvent
from bot.feishu.values import BotAddedToChat, BotMenu, BotRemovedFromChat, ChatDisbanded, MessageRecalled
from bot.texts import text
from handlers.help import commands
from handlers.shared.house import House


def area(house: House) -> Area:
    return Area(
        "help",
        text("help.area.help"),
        (
            *commands.COMMANDS,
            *commands.CLICKS,
            CardKind(commands.HELP, commands.draw_help),
            CardKind(commands.HOME, commands.draw_home),
            CardKind(commands.TODO, commands.draw_todo),
            OnEvent(BotAddedToChat, commands.on_added),
            OnEvent(BotRemovedFromChat, commands.on_removed),
            OnEvent(ChatDisbanded, commands.on_removed),
            OnEvent(BotMenu, commands.on_menu),
            OnEvent(MessageRecalled, commands.on_recalled),
        ),
    )
