"""The parts of a card that are only looked at, and the lists and folds that hold others.

See docs/platforms/feishu.md ("Card components", "Card texts").
"""

from __future__ import annotations

import re

from bot.cards import charts, fields, limits
from bot.cards.escape import coloured, hostile
from bot.cards.text_objects import Json, TextWriter
from bot.cards.values import (
    Block,
    Buttons,
    Chart,
    Facts,
    Fold,
    Form,
    Item,
    Items,
    Line,
    Menu,
    Note,
    Pictures,
    Quote,
    Rule,
    Table,
    Tone,
    Toned,
    Warning,
    Words,
)
from bot.texts import Language, Text, text
from bot.texts.clean import clean, cut

TAG_COLOURS = {
    Tone.NEUTRAL: "neutral",
    Tone.CALM: "blue",
    Tone.WAITING: "orange",
    Tone.URGENT: "red",
    Tone.GOOD: "green",
}
_TEXT_COLOURS = TAG_COLOURS | {Tone.NEUTRAL: "grey"}
_WIDEST_HALF = 20  # Latin letters that half a card on a phone holds in one line
_LARGE = "heading-3"
_DEEPEST_FOLD = 2  # Feishu takes five levels of containers; a list inside takes two
_PICTURE = re.compile(r"[A-Za-z0-9_-]{1,200}")


def draw(writer: TextWriter, block: Block, depth: int = 0) -> list[Json]:
    """The elements of one block, for the root of the card. A fold may hold no form or table: those follow it."""
    match block:
        case Line():
            return [_line(writer, block)]
        case Facts():
            return _facts(writer, block)
        case Quote():
            return [_quote(writer, block)]
        case Note():
            return [_coloured(writer, block.words, "grey", small=True)]
        case Warning():
            return [_coloured(writer, block.words, "red", before="⚠️ ")]
        case Rule():
            return [{"tag": "hr"}]
        case Buttons():
            return fields.buttons(writer, block)
        case Menu():
            return fields.menu(writer, block)
        case Form():
            return fields.form(writer, block)
        case Table():
            return _table(writer, block)
        case Items():
            return _items(writer, block)
        case Fold():
            return _fold(writer, block, depth)
        case Pictures():
            return _pictures(writer, block)
        case Chart():
            return charts.chart(writer, block)


def note(writer: TextWriter, words: Text) -> Json:
    """Small grey print."""
    return _coloured(writer, words, "grey", small=True)


def _line(writer: TextWriter, block: Line) -> Json:
    mark = "**" if block.strong else ""
    words = Toned(block.words, block.tone) if block.tone is not None else block.words
    return writer.paragraph(lambda language: f"{mark}{_toned(writer, words, language)}{mark}")


def _shown(writer: TextWriter, words: Words, language: Language) -> str:
    return writer.markdown(words, language).strip() or "—"


def _toned(writer: TextWriter, words: Words | Toned, language: Language) -> str:
    if isinstance(words, Toned):
        return coloured(_shown(writer, words.words, language), _TEXT_COLOURS[words.tone])
    return _shown(writer, words, language)


def _coloured(writer: TextWriter, words: Words, colour: str, *, before: str = "", small: bool = False) -> Json:
    return writer.paragraph(lambda language: before + coloured(_shown(writer, words, language), colour), small=small)


def _facts(writer: TextWriter, block: Facts) -> list[Json]:
    drawn: list[Json] = []
    row: list[Json] = []
    for label, value in block.pairs:
        fact = _fact(writer, label, value, large=block.large)
        words = value.words if isinstance(value, Toned) else value
        if max(writer.width(label), writer.width(words)) > _WIDEST_HALF:
            drawn += _row_of_facts(row)
            drawn.append(fact)
            row = []
            continue
        row.append(fact)
        if len(row) == 2:
            drawn += _row_of_facts(row)
            row = []
    return drawn + _row_of_facts(row)


def _fact(writer: TextWriter, label: Text, value: Words | Toned, *, large: bool) -> Json:
    fact = writer.paragraph(
        lambda language: f"{coloured(_shown(writer, label, language), 'grey')}<br>{_toned(writer, value, language)}"
    )
    return fact | {"text_size": _LARGE} if large else fact


def _row_of_facts(facts: list[Json]) -> list[Json]:
    if not facts:
        return []
    columns = [{"tag": "column", "width": "weighted", "weight": 1, "elements": [fact]} for fact in facts]
    return [{"tag": "column_set", "flex_mode": "bisect", "horizontal_spacing": "12px", "columns": columns}]


def _quote(writer: TextWriter, block: Quote) -> Json:
    words = re.sub(r"\n{3,}", "\n\n", clean(block.words)).strip()
    lines = words.split("\n")
    few_lines = "\n".join(lines[: limits.QUOTED_LINES])
    shown, was_cut = cut(few_lines, max(1, min(block.longest, writer.limits.quote)))
    if len(lines) > limits.QUOTED_LINES and not was_cut:
        shown, was_cut = f"{shown}\n…", True
    inside: list[Json] = []
    if block.author is not None:
        author = text("card.quote.author", author=block.author)
        inside.append(_coloured(writer, author, "grey", small=True))
    if shown:
        inside.append({"tag": "markdown", "content": hostile(shown)})
    else:
        inside.append(note(writer, text("card.quote.empty")))
    if was_cut:
        writer.shortened = True
        inside.append(note(writer, text("card.quote.cut", total=len(words))))
    column: Json = {
        "tag": "column",
        "width": "weighted",
        "weight": 1,
        "padding": "8px 12px",
        "vertical_spacing": "4px",
        "elements": inside,
    }
    return {"tag": "column_set", "background_style": "grey", "columns": [column]}


def _table(writer: TextWriter, block: Table) -> list[Json]:
    columns = block.columns[: limits.COLUMNS]
    names = [f"c{number}" for number in range(len(columns))]
    if not columns or not block.rows:
        return [note(writer, text("card.table.empty"))]
    rows = [
        dict(zip(names, (writer.bilingual(word, limits.CELL) for word in row), strict=False))
        for row in block.rows[: writer.limits.rows]
    ]
    drawn: list[Json] = [
        {
            "tag": "table",
            "page_size": min(limits.PAGE, len(rows)),
            "row_height": "low",
            "header_style": {"background_style": "grey", "bold": True},
            "columns": [
                {"name": name, "display_name": writer.bilingual(column.title, limits.LABEL), "data_type": "text"}
                for name, column in zip(names, columns, strict=True)
            ],
            "rows": rows,
        }
    ]
    return drawn + _more(writer, len(block.rows) - len(rows))


def _items(writer: TextWriter, block: Items) -> list[Json]:
    shown = block.items[: writer.limits.items]
    return [_item(writer, item) for item in shown] + _more(writer, len(block.items) - len(shown))


def _more(writer: TextWriter, left_out: int) -> list[Json]:
    if left_out <= 0:
        return []
    writer.shortened = True
    return [note(writer, text("card.more", n=left_out))]


def _item(writer: TextWriter, item: Item) -> Json:
    words = writer.paragraph(lambda language: _item_words(writer, item, language))
    button = fields.button(writer, item.button, size="small") if item.button is not None else None
    if button is None:
        return words
    columns: list[Json] = [
        {"tag": "column", "width": "weighted", "weight": 1, "vertical_align": "center", "elements": [words]},
        {"tag": "column", "width": "auto", "vertical_align": "center", "elements": [button]},
    ]
    return {"tag": "column_set", "flex_mode": "none", "horizontal_spacing": "8px", "columns": columns}


def _item_words(writer: TextWriter, item: Item, language: Language) -> str:
    written = f"**{_shown(writer, item.title, language)}**"
    if item.tag is not None:
        label = writer.markdown(item.tag.label, language)
        written += f" <text_tag color='{TAG_COLOURS[item.tag.tone]}'>{label}</text_tag>"
    if item.words is not None:
        written += "<br>" + _shown(writer, item.words, language)
    if item.detail is not None:
        detail = item.detail if isinstance(item.detail, Toned) else Toned(item.detail, Tone.NEUTRAL)
        written += "<br>" + _toned(writer, detail, language)
    return written


def _fold(writer: TextWriter, block: Fold, depth: int) -> list[Json]:
    if not writer.limits.folds:
        writer.shortened = True
        return [note(writer, text("card.fold.dropped", title=block.title))]
    inside = [each for each in block.blocks if not isinstance(each, (Form, Table))]
    outside = [each for each in block.blocks if isinstance(each, (Form, Table))]
    elements = [element for each in inside for element in draw(writer, each, depth + 1)]
    root_only = [element for element in elements if element["tag"] in ("form", "table")]
    elements = [element for element in elements if element["tag"] not in ("form", "table")]
    if not elements:
        drawn = [_line(writer, Line(block.title, strong=True))]
    elif depth >= _DEEPEST_FOLD:
        drawn = [_line(writer, Line(block.title, strong=True)), *elements]
    else:
        drawn = [_panel(writer, block, elements)]
    return drawn + root_only + [element for each in outside for element in draw(writer, each)]


def _panel(writer: TextWriter, block: Fold, elements: list[Json]) -> Json:
    return {
        "tag": "collapsible_panel",
        "expanded": block.opened,
        "vertical_spacing": "8px",
        "padding": "8px",
        "header": {
            "title": writer.text(block.title, limits.TITLE),
            "vertical_align": "center",
            "icon": {"tag": "standard_icon", "token": "down-small-ccm_outlined"},
            "icon_position": "follow_text",
            "icon_expanded_angle": -180,
        },
        "border": {"color": "grey", "corner_radius": "5px"},
        "elements": elements,
    }


def _pictures(writer: TextWriter, block: Pictures) -> list[Json]:
    keys = [key for key in block.keys if _PICTURE.fullmatch(key)]
    shown = keys[: limits.PICTURES]
    drawn: list[Json] = []
    if len(shown) == 1:
        drawn = [{"tag": "img", "img_key": shown[0], "alt": writer.text(text("card.picture"), limits.LABEL)}]
    elif shown:
        mode = {2: "double", 3: "triple", 4: "bisect"}.get(len(shown), "trisect")
        drawn = [{"tag": "img_combination", "combination_mode": mode, "img_list": [{"img_key": key} for key in shown]}]
    return drawn + _more(writer, len(keys) - len(shown))
