"""A card as a message of type `text`, for when Feishu refuses the card (230099).

It pings nobody: a refused card may have been refused because of the person it pinged.
See docs/platforms/feishu.md ("Text of messages", "Errors by code").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate

from bot.cards.values import (
    Block,
    Button,
    Buttons,
    Card,
    Chart,
    Facts,
    Field,
    Fold,
    Form,
    Items,
    Line,
    Menu,
    Note,
    Pictures,
    Quote,
    Rule,
    Table,
    Toned,
    Warning,
    Words,
)
from bot.texts import Catalogue, Language, Style, Text, text
from bot.texts.clean import clean, clusters, cut
from bot.texts.escape import safe_text_message

_BYTES = 60_000  # Feishu takes 150 KB; nobody reads more than this

_STYLE = Style(own=lambda said: said, words=safe_text_message, mention=lambda who: safe_text_message(who.name))


def plain(card: Card, language: Language, *, zone: str, catalogue: Catalogue) -> str:
    """Title, everything the card shows, and what can be done on it, in one language."""
    return _short("\n".join(_Writer(catalogue, language, zone).card(card)))


def _short(words: str) -> str:
    if len(words.encode()) <= _BYTES:
        return words
    sizes = accumulate(len(letter.encode()) for letter in clusters(words))
    return "".join(letter for letter, size in zip(clusters(words), sizes, strict=True) if size <= _BYTES) + "…"


class _Writer:
    def __init__(self, catalogue: Catalogue, language: Language, zone: str) -> None:
        self._catalogue = catalogue
        self._language = language
        self._zone = zone

    def card(self, card: Card) -> Iterator[str]:
        tags = "".join(f" [{self.render(tag.label)}]" for tag in card.tags)
        yield f"{' '.join(self.render(text('card.plain.title', title=card.title)).split())}{tags}"
        if card.subtitle is not None:
            yield self.render(card.subtitle)
        for block in card.blocks:
            yield from self.block(block)
        labels = [self.render(label) for label in _offers(card.blocks)]
        if labels:
            yield self.render(text("card.plain.actions", actions=" / ".join(dict.fromkeys(labels))))

    def render(self, words: Words) -> str:
        if isinstance(words, Text):
            return self._catalogue.write(words, self._language, _STYLE, zone=self._zone)
        return safe_text_message(words)

    def fact(self, label: Words, value: Words | Toned) -> str:
        words = value.words if isinstance(value, Toned) else value
        return self.render(text("card.plain.fact", label=label, value=words))

    def block(self, block: Block) -> Iterator[str]:
        match block:
            case Line(words) | Note(words):
                yield self.render(words)
            case Warning(words):
                yield f"⚠️ {self.render(words)}"
            case Facts(pairs):
                yield from (self.fact(label, value) for label, value in pairs)
            case Quote():
                yield from self.quote(block)
            case Rule():
                yield "————"
            case Buttons() | Menu():
                return
            case Form(fields=fields):
                yield from self.form(fields)
            case Table():
                yield " | ".join(self.render(column.title) for column in block.columns)
                yield from (" | ".join(self.render(word) for word in row) for row in block.rows)
            case Items(items):
                for item in items:
                    tag = f" [{self.render(item.tag.label)}]" if item.tag is not None else ""
                    found = item.detail.words if isinstance(item.detail, Toned) else item.detail
                    rest = "".join(f" — {self.render(words)}" for words in (item.words, found) if words is not None)
                    yield f"• {self.render(item.title)}{tag}{rest}"
            case Fold(title, inside):
                yield f"▸ {self.render(title)}"
                for each in inside:
                    yield from self.block(each)
            case Pictures(keys):
                yield self.render(text("card.plain.pictures", n=len(keys)))
            case Chart():
                yield self.render(block.title)
                yield from (self.fact(label, str(value)) for label, value in block.values)

    def quote(self, block: Quote) -> Iterator[str]:
        if block.author is not None:
            yield self.render(text("card.quote.author", author=block.author))
        words = clean(block.words).strip()
        shown, was_cut = cut(words, max(1, block.longest))
        yield from (f"> {line}" for line in safe_text_message(shown).split("\n"))
        if was_cut:
            yield self.render(text("card.quote.cut", total=len(words)))

    def form(self, fields: tuple[Field, ...]) -> Iterator[str]:
        if fields:
            separator = self.render(text("card.plain.comma"))
            labels = separator.join(self.render(field.label) for field in fields)
            yield self.render(text("card.plain.fields", fields=labels))


def _offers(blocks: Iterable[Block]) -> Iterator[Text]:
    for block in blocks:
        match block:
            case Buttons(buttons):
                yield from _labels(buttons)
            case Menu():
                yield block.placeholder
            case Form():
                yield from _labels((block.submit, *block.others))
            case Items(items):
                yield from _labels(item.button for item in items if item.button is not None)
            case Fold(blocks=inside):
                yield from _offers(inside)
            case _:
                continue


def _labels(buttons: Iterable[Button]) -> Iterator[Text]:
    return (button.label for button in buttons if button.why_not is None)
