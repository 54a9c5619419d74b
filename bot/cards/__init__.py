"""Cards: frozen values, and one renderer that knows Feishu's limits."""

from bot.cards.actions import ActionSigner, ForgedAction
from bot.cards.render import RenderedCard, render
from bot.cards.text_objects import BadCard

__all__ = ["ActionSigner", "BadCard", "ForgedAction", "RenderedCard", "render"]
