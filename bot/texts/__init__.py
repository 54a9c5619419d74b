"""What the chat says, in Chinese and English, from one catalogue."""

from bot.texts.catalogue import (
    LANGUAGES,
    Catalogue,
    Language,
    MissingText,
    Style,
    catalogue,
)
from bot.texts.escape import safe_text_message
from bot.texts.values import Fen, Instant, Left, Mention, Param, Text, text

__all__ = [
    "LANGUAGES",
    "Catalogue",
    "Fen",
    "Instant",
    "Language",
    "Left",
    "Mention",
    "MissingText",
    "Param",
    "Style",
    "Text",
    "catalogue",
    "safe_text_message",
    "text",
]
