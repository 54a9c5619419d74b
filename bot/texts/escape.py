"""Hostile text inside a Feishu text message, where `<at …>`, `<b>` and `[text](address)` are formatting.

See docs/platforms/feishu.md ("Text of messages").
"""

from __future__ import annotations

import re

from bot.texts.clean import clean
from bot.texts.values import Mention

# The page names no escape for text messages, so the look-alike full-width brackets stand in: they can never form a tag.
_BRACKETS = str.maketrans({"<": "＜", ">": "＞"})
_OPEN_ID = re.compile(r"ou_[A-Za-z0-9_-]{1,64}")


def safe_text_message(words: str) -> str:
    """The same words for a message of type `text`: they ping nobody, format nothing and hide no address in a link."""
    return clean(words).translate(_BRACKETS).replace("](", "] (")


def can_ping(mention: Mention) -> bool:
    """Whether this mention may ping: only a well-formed open id does, never `all` and nothing that breaks a card."""
    return mention.ping and _OPEN_ID.fullmatch(mention.open_id) is not None


def message_mention(mention: Mention) -> str:
    """A mention as a text message writes it: a ping where one is asked for, else the name."""
    name = safe_text_message(mention.name)
    return f'<at user_id="{mention.open_id}">{name}</at>' if can_ping(mention) else name
