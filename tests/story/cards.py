"""A card as a person sees it: words, colours, buttons."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.feishu.card_client import interactives
from sandbox.feishu.state import Message
from tests.story.waiting import PATIENCE, eventually

if TYPE_CHECKING:
    from tests.story.places import Place

_TAG = re.compile(r"<(?!br)[^>]*>")
_FACT = re.compile(r"<font color='grey'>(.*?)</font><br>(.*)", re.DOTALL)


def _read(markdown: str) -> str:
    """What markdown and its entities look like on the screen."""
    # Stars of people's own words come as entities, so these are bold type.
    return html.unescape(_TAG.sub("", markdown).replace("<br>", "\n").replace("**", ""))


def _words(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for each in node:
            yield from _words(each)
    elif isinstance(node, dict):
        if node.get("tag") == "button":
            return
        if node.get("tag") == "markdown":
            yield _read(str(node.get("content", "")))
        elif node.get("tag") == "plain_text":
            yield str(node.get("content", ""))
        else:
            for name, value in node.items():
                if name not in ("config", "behaviors", "options"):
                    yield from _words(value)


@dataclass(frozen=True)
class Card:
    """How a card stood at one moment; `latest()` is how it stands now."""

    place: Place
    message: Message
    content: Mapping[str, Any]
    revision: int

    @property
    def message_id(self) -> str:
        return self.message.message_id

    @property
    def title(self) -> str:
        return str(self.content["header"]["title"]["content"])

    @property
    def tone(self) -> str:
        """The colour of its head: grey blue orange red green."""
        return str(self.content["header"]["template"])

    @property
    def tags(self) -> list[str]:
        return [str(tag["text"]["content"]) for tag in self.content["header"].get("text_tag_list", [])]

    @property
    def facts(self) -> dict[str, str]:
        found = {}
        for markdown in self._markdown(self.content):
            match = _FACT.fullmatch(markdown)
            if match is not None:
                found[_read(match[1])] = _read(match[2])
        return found

    @property
    def plain(self) -> str:
        """Every word on it but those of buttons."""
        return "\n".join(_words(self.content))

    @property
    def buttons(self) -> list[str]:
        """What can be pressed."""
        return [self._label(one.node) for one in interactives(self.content) if one.tag == "button" and not one.disabled]

    @property
    def fields(self) -> dict[str, str]:
        """What can be filled in, with what stands there."""
        return {
            one.name: str(one.node.get("default_value", ""))
            for one in interactives(self.content)
            if one.tag == "input" and one.form is not None
        }

    @property
    def options(self) -> list[str]:
        """What its menus offer."""
        return [
            str(option["text"]["content"])
            for one in interactives(self.content)
            if one.tag == "select_static"
            for option in one.node.get("options", [])
        ]

    def latest(self) -> Card:
        return self.place.card(self.message)

    def expect(self, *words: str, without: str = "", patience: float = PATIENCE) -> Card:
        """The card once all of that stands on it."""

        def look() -> Card | None:
            card = self.latest()
            shown = "\n".join((card.plain, *card.buttons))
            return card if all(word in shown for word in words) and (not without or without not in shown) else None

        def otherwise() -> str:
            card = self.latest()
            absent = f" without {without!r}" if without else ""
            return f"expected {words}{absent} on:\n{card.plain}\nbuttons: {card.buttons}"

        return eventually(look, otherwise, patience)

    def expect_button(self, label: str, patience: float = PATIENCE) -> Card:
        def look() -> Card | None:
            card = self.latest()
            return card if label in card.buttons else None

        return eventually(
            look, lambda: f"no button {label!r} on:\n{self.latest().plain}\n{self.latest().buttons}", patience
        )

    def _label(self, node: Mapping[str, Any]) -> str:
        return str(node["text"]["content"])

    def _markdown(self, node: Any) -> Iterator[str]:
        if isinstance(node, list):
            for each in node:
                yield from self._markdown(each)
        elif isinstance(node, dict):
            if node.get("tag") == "markdown":
                yield str(node.get("content", ""))
            for value in node.values():
                yield from self._markdown(value)
