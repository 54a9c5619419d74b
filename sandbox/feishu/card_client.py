"""What the Feishu client does with a card before anything goes over the wire: finding, filling, refusing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.feishu.card_schema import INTERACTIVE_TAGS
from sandbox.feishu.errors import CannotClick

INITIAL = {
    "input": "default_value",
    "select_static": "initial_option",
    "select_person": "initial_option",
    "date_picker": "initial_date",
    "picker_time": "initial_time",
    "picker_datetime": "initial_datetime",
    "multi_select_static": "selected_values",
    "multi_select_person": "selected_values",
    "checker": "checked",
}
SINGLE_CHOICE = ("select_static", "select_person", "overflow", "select_img")


@dataclass(frozen=True, slots=True)
class Interactive:
    """One thing that can be clicked or filled in. `index` counts them in reading order, `path` leads to it."""

    index: int
    path: str  # body.elements.0.columns.1.elements.2
    node: Mapping[str, Any]
    form: Mapping[str, Any] | None

    @property
    def tag(self) -> str:
        return str(self.node["tag"])

    @property
    def name(self) -> str:
        return str(self.node.get("name", ""))

    @property
    def disabled(self) -> bool:
        return bool(self.node.get("disabled"))

    def callback(self) -> Any:
        """The value bound to the callback, None when it has no callback."""
        for behavior in self.node.get("behaviors", []):
            if behavior.get("type") == "callback":
                return behavior.get("value", {})
        return None

    def labels(self) -> set[str]:
        """Its text in every language."""
        text = self.node.get("text") or {}
        return {str(label) for label in (text.get("content"), *text.get("i18n_content", {}).values()) if label}


def interactives(card: Mapping[str, Any]) -> list[Interactive]:
    found = _walk(card.get("body", {}).get("elements", []), "body.elements", None)
    return [Interactive(index, path, node, form) for index, (path, node, form) in enumerate(found)]


def _walk(
    elements: list[Any], path: str, form: Mapping[str, Any] | None
) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any] | None]]:
    for number, node in enumerate(elements):
        if not isinstance(node, dict):
            continue
        here = f"{path}.{number}"
        if node.get("tag") in INTERACTIVE_TAGS:
            yield here, node, form
        inside = node if node.get("tag") == "form" else form
        for place, column in enumerate(node.get("columns", []) if node.get("tag") == "column_set" else []):
            yield from _walk(column.get("elements", []), f"{here}.columns.{place}.elements", inside)
        yield from _walk(node.get("elements", []), f"{here}.elements", inside)


def find(
    card: Mapping[str, Any], element: int | str | None, value: object, name: str | None, option: str | None
) -> Interactive:
    """By index, path or element_id; by the callback's value; by name; or the only choice that has the option."""
    known = interactives(card)
    matching = [one for one in known if _matches(one, element, value, name, option)]
    if not matching:
        raise CannotClick(f"nothing on the card matches; it has {[_about(one) for one in known]}")
    return next((one for one in matching if not one.disabled), matching[0])


def _matches(one: Interactive, element: int | str | None, value: object, name: str | None, option: str | None) -> bool:
    if element is not None:
        return element in (one.index, one.path, one.node.get("element_id"))
    if value is not None:
        return bool(one.callback() == value)
    if name is not None:
        return one.name == name
    return option is not None and one.form is None and option_value(one, option) is not None


def find_button(card: Mapping[str, Any], label: str) -> Interactive:
    """The first enabled button with this text in any language."""
    buttons = [one for one in interactives(card) if one.tag == "button"]
    named = [one for one in buttons if label in one.labels()]
    if not named:
        raise CannotClick(f"no button {label!r}; the card has {[sorted(one.labels()) for one in buttons]}")
    enabled = [one for one in named if not one.disabled]
    if not enabled:
        tips = (named[0].node.get("disabled_tips") or {}).get("content", "")
        raise CannotClick(f"the button {label!r} is disabled: {tips}")
    return enabled[0]


def option_value(one: Interactive, wanted: str) -> str | None:
    """The value of the option with this value or text."""
    for option in one.node.get("options", []):
        text = option.get("text") or {}
        if wanted in (option.get("value"), text.get("content"), *text.get("i18n_content", {}).values()):
            return str(option["value"])
    return None


def filled_form(card: Mapping[str, Any], form: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What the client submits: the initial values with the given ones over them, in the platform's forms.

    Raises CannotClick for an unknown field, an empty required one, a text too long or an option not offered.
    """
    fields = {one.name: one for one in interactives(card) if one.form is form and one.tag in INITIAL}
    unknown = set(given) - set(fields)
    if unknown:
        raise CannotClick(f"the form has no field {sorted(unknown)}; it has {sorted(fields)}")
    values: dict[str, Any] = {}
    for name, field in fields.items():
        value = given.get(name, field.node.get(INITIAL[field.tag]))
        if name not in given and field.disabled and value is None:
            continue
        values[name] = _checked(field, value)
    return {name: value for name, value in values.items() if value is not None}


def _checked(field: Interactive, value: Any) -> Any:
    required = field.node.get("required", field.tag.startswith("multi_select"))
    if field.tag == "checker":
        return bool(value)
    if value in (None, "", []):
        if required:
            raise CannotClick(f"the field {field.name!r} is required")
        return "" if field.tag == "input" else None
    if field.tag == "input":
        if not isinstance(value, str) or len(value) > int(field.node.get("max_length", 1000)):
            raise CannotClick(f"the field {field.name!r} takes at most {field.node.get('max_length', 1000)} characters")
        return value
    if field.tag in ("select_static", "select_person") and field.node.get("options"):
        chosen = option_value(field, str(value))
        if chosen is None:
            raise CannotClick(f"the field {field.name!r} does not offer {value!r}")
        return chosen
    if field.tag in ("date_picker", "picker_time", "picker_datetime") and "+" not in str(value):
        return f"{value} +0800"
    return value


def _about(one: Interactive) -> str:
    return f"{one.index}:{one.tag} {one.name or '/'.join(sorted(one.labels()))}"
