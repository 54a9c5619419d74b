"""Help, the home card and what waits for one person: drawn of what the areas bring."""

from __future__ import annotations

from bot.area import Area
from bot.contributions.cards import CardKind
from bot.contributions.events import OnEvent
from bot.feishu.values import BotAddedToChat, BotMenu, BotRemovedFromChat, ChatDisbanded, MessageRecalled
from bot.texts import text
from handlers.help import cards, commands, feishu_events
from handlers.shared.house import House


def area(house: House) -> Area:
    return Area(
        "help",
        text("help.area.help"),
        (
            *commands.COMMANDS,
            *commands.CLICKS,
            CardKind(cards.HELP, cards.draw_help),
            CardKind(cards.HOME, cards.draw_home),
            CardKind(cards.TODO, cards.draw_todo),
            OnEvent(BotAddedToChat, feishu_events.on_added),
            OnEvent(BotRemovedFromChat, feishu_events.on_removed),
            OnEvent(ChatDisbanded, feishu_events.on_removed),
            OnEvent(BotMenu, feishu_events.on_menu),
            OnEvent(MessageRecalled, feishu_events.on_recalled),
        ),
    )
