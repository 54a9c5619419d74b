"""Where cards and sentences appear: the group, and everybody's private chat with the bot."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.feishu.platform import Feishu
from sandbox.feishu.snapshot import readable
from sandbox.feishu.state import Message
from tests.story.cards import Card
from tests.story.waiting import PATIENCE, eventually


class Place:
    """One chat as its members see it. `chat_id` is asked for anew: a private chat appears with its first message."""

    def __init__(self, feishu: Feishu, name: str, chat_id: Callable[[], str]) -> None:
        self._feishu = feishu
        self.name = name
        self._chat_id = chat_id

    @property
    def chat_id(self) -> str:
        return self._chat_id()

    def messages(self) -> list[Message]:
        with self._feishu.world.lock:
            return [message for message in self._feishu.store.in_chat(self.chat_id) if not message.recalled]

    def card(self, message: Message) -> Card:
        with self._feishu.world.lock:
            return Card(self, message, message.content, message.revision)

    def cards(self, title: str = "", containing: str = "") -> list[Card]:
        """Oldest first."""
        found = [self.card(message) for message in self.messages() if message.is_card]
        return [card for card in found if title in card.title and containing in card.plain]

    def texts(self) -> list[str]:
        """What the bot said in words, oldest first."""
        with self._feishu.world.lock:
            return [
                readable(message)
                for message in self.messages()
                if message.msg_type == "text" and message.sender_kind == "bot"
            ]

    def expect_card(self, title: str, containing: str = "", patience: float = PATIENCE) -> Card:
        """The newest card with that in its title and in its words, once there is one."""

        def look() -> Card | None:
            found = self.cards(title, containing)
            return found[-1] if found else None

        return eventually(look, lambda: f"no card {title!r} with {containing!r} in {self}", patience)

    def expect_text(self, *words: str, patience: float = PATIENCE) -> str:
        """The newest sentence of the bot with all of that in it."""

        def look() -> str | None:
            found = [said for said in self.texts() if all(word in said for word in words)]
            return found[-1] if found else None

        return eventually(look, lambda: f"nobody said {words} in {self}", patience)

    def answers_to(self, message: Message) -> list[Message]:
        return [each for each in self.messages() if each.parent_id == message.message_id and each.sender_kind == "bot"]

    def __repr__(self) -> str:
        cards = [f"  card {card.title}: {card.plain[:300]}" for card in self.cards()[-6:]]
        return "\n".join([self.name, *cards, *(f"  {said}" for said in self.texts()[-8:])])
