"""Cards: frozen values, and one renderer that knows Feishu's limits."""

from bot.cards.actions import ActionSigner, ForgedAction
from bot.cards.pen import BadCard
from bot.cards.render import RenderedCard, render

__all__ = ["ActionSigner", "BadCard", "ForgedAction", "RenderedCard", "render"]
