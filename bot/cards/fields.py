"""Everything that can be clicked or filled in: buttons, menus and forms.

See docs/platforms/feishu.md ("Forms and clicks", "Card components").
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.cards import limits
from bot.cards.text_objects import BadCard, Json, TextWriter
from bot.cards.values import (
    Button,
    Buttons,
    ButtonStyle,
    Choice,
    Field,
    Form,
    Input,
    Menu,
    Option,
    PersonChoice,
)
from bot.texts import text
from bot.texts.clean import clean, one_line

_TYPES = {
    ButtonStyle.DEFAULT: "default",
    ButtonStyle.PRIMARY: "primary_filled",
    ButtonStyle.DANGER: "danger_filled",
}
_WEB = re.compile(r"https?://[^\s<>\"]+")
_OPEN_ID = re.compile(r"ou_[A-Za-z0-9_-]{1,64}")


def button(
    writer: TextWriter, drawn: Button, *, size: str = "medium", submits: bool = False, in_form: bool = False
) -> Json | None:
    """A button, or None where it would lead nowhere: an address that is not a web page's."""
    element: Json = {
        "tag": "button",
        "text": writer.text(drawn.label, limits.BUTTON),
        "type": _TYPES[drawn.style],
        "size": size,
    }
    if in_form:
        element["name"] = writer.free_name("button")
    if submits:
        element["form_action_type"] = "submit"
    if drawn.why_not is not None:
        return element | {"disabled": True, "disabled_tips": writer.text(drawn.why_not, limits.TIP)}
    if drawn.url:
        if not _WEB.fullmatch(drawn.url):
            return None
        element["behaviors"] = [{"type": "open_url", "default_url": drawn.url}]
    elif drawn.action is not None:
        element["behaviors"] = [{"type": "callback", "value": dict(writer.sign(drawn.action))}]
    else:
        raise BadCard(f"the button {drawn.label.key} does nothing")
    if drawn.confirm is not None:
        element["confirm"] = {
            "title": writer.text(drawn.confirm.title, limits.TITLE),
            "text": writer.text(drawn.confirm.question, limits.QUESTION),
        }
    return element


def buttons(writer: TextWriter, block: Buttons) -> list[Json]:
    """Buttons side by side, wrapping where a phone is too narrow."""
    return _row([button(writer, each) for each in block.buttons])


def _row(drawn: Sequence[Json | None]) -> list[Json]:
    columns = [{"tag": "column", "width": "auto", "elements": [each]} for each in drawn if each is not None]
    return (
        [{"tag": "column_set", "flex_mode": "flow", "horizontal_spacing": "8px", "columns": columns}] if columns else []
    )


def menu(writer: TextWriter, block: Menu) -> list[Json]:
    """A choice that is sent as soon as it is made; nothing where there is nothing to choose."""
    options = _options(writer, block.options, block.chosen)
    if not options:
        return []
    element: Json = {
        "tag": "select_static",
        "placeholder": writer.text(block.placeholder, limits.PLACEHOLDER),
        "options": options,
        "width": "fill",
        "behaviors": [{"type": "callback", "value": dict(writer.sign(block.action))}],
    }
    return [_chosen(element, options, block.chosen)]


def form(writer: TextWriter, block: Form) -> list[Json]:
    """A form for the root of the card. Its buttons stand in one row, the submitting one first."""
    if block.submit.action is None and block.submit.why_not is None:
        raise BadCard(f"the form {block.name} is sent nowhere")
    name = writer.name(block.name)
    elements: list[Json] = []
    for each in block.fields:
        elements += _field(writer, each)
    row = [button(writer, block.submit, submits=True, in_form=True)]
    row += [button(writer, other, in_form=True) for other in block.others]
    return [{"tag": "form", "name": name, "vertical_spacing": "12px", "elements": [*elements, *_row(row)]}]


def _field(writer: TextWriter, field: Field) -> list[Json]:
    if isinstance(field, Input):
        return [_input(writer, field)]
    label = writer.paragraph(lambda language: writer.markdown(field.label, language))
    if isinstance(field, Choice):
        options = _options(writer, field.options, field.chosen)
        if not options:
            nothing = text("card.nothing_to_choose")
            return [label, writer.paragraph(lambda language: writer.markdown(nothing, language), small=True)]
        element: Json = {
            "tag": "select_static",
            "name": writer.name(field.name),
            "required": field.required,
            "placeholder": writer.text(text("card.choose"), limits.PLACEHOLDER),
            "options": options,
            "width": "fill",
        }
        return [label, _chosen(element, options, field.chosen)]
    return [label, _person(writer, field)]


def _input(writer: TextWriter, field: Input) -> Json:
    longest = max(1, min(field.longest, limits.INPUT))
    element: Json = {
        "tag": "input",
        "name": writer.name(field.name),
        "required": field.required,
        "label": writer.text(field.label, limits.LABEL),
        "label_position": "top",
        "max_length": longest,
        "width": "fill",
    }
    if field.placeholder is not None:
        element["placeholder"] = writer.text(field.placeholder, limits.PLACEHOLDER)
    if field.value:
        # Cut by code points, as Feishu counts them here, and without an ending: what stands in the field is sent back.
        value = clean(field.value) if field.lines > 1 else one_line(field.value)
        writer.shortened |= len(value) > longest
        element["default_value"] = value[: min(longest, writer.limits.words)]
    if field.lines > 1:
        element |= {"input_type": "multiline_text", "rows": min(field.lines, 20), "auto_resize": True}
    return element


def _person(writer: TextWriter, field: PersonChoice) -> Json:
    # One malformed id would make Feishu refuse the whole card (100290), so such ids are left out here.
    people = [each for each in dict.fromkeys(field.people) if _OPEN_ID.fullmatch(each)]
    writer.shortened |= len(people) > writer.limits.options
    return {
        "tag": "select_person",
        "name": writer.name(field.name),
        "required": field.required,
        "placeholder": writer.text(text("card.choose_person"), limits.PLACEHOLDER),
        "options": [{"value": each} for each in people[: writer.limits.options]],
        "width": "fill",
    }


def _options(writer: TextWriter, options: Sequence[Option], chosen: str) -> list[Json]:
    first: dict[str, Option] = {}
    for option in options:
        if option.value:
            first.setdefault(option.value, option)
    unique = list(first.values())
    shown = unique[: writer.limits.options]
    if len(shown) < len(unique):
        writer.shortened = True
        if chosen not in {option.value for option in shown}:
            shown[-1:] = [option for option in unique if option.value == chosen] or shown[-1:]
    return [{"text": writer.text(option.label, limits.OPTION), "value": option.value} for option in shown]


def _chosen(element: Json, options: Sequence[Json], chosen: str) -> Json:
    return element | {"initial_option": chosen} if any(option["value"] == chosen for option in options) else element
