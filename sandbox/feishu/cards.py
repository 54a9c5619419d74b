"""The check that Feishu runs on a card before showing it, with the card builder's codes.

See docs/platforms/feishu.md ("Cards JSON 2.0", "Errors by code").
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.feishu import card_schema as allowed
from sandbox.feishu.card_parts import Parts, list_, object_, wrong
from sandbox.feishu.errors import bad_card

MOST_NODES = 200
MOST_TABLES = 5
MOST_BYTES = 30 * 1024
DEEPEST = 5


def check_card(card: object, person_known: Callable[[str], bool], image_known: Callable[[str], bool]) -> None:
    """Raises 230099 with the builder's code inside; a 1.0 card is only checked for being an object."""
    if not isinstance(card, dict):
        raise bad_card(200621, "parse card json err, please check whether the card json is correct")
    if "schema" not in card:
        return
    try:
        _Check(person_known, image_known).card(card)
    except (TypeError, AttributeError):
        raise wrong("a value is of a wrong type") from None


def is_v2(card: object) -> bool:
    return isinstance(card, dict) and card.get("schema") == "2.0"


class _Check(Parts):
    def card(self, card: dict[str, Any]) -> None:
        if card["schema"] != "2.0":
            raise wrong(f"unknown schema {card['schema']!r}")
        self._keys(card, allowed.ROOT, "card")
        self._config(object_(card.get("config", {}), "config"))
        if "card_link" in card:
            self._keys(object_(card["card_link"], "card_link"), allowed.LINK, "card_link")
        if "header" in card:
            self._header(object_(card["header"], "header"))
        body = object_(card.get("body", {}), "body")
        self._keys(body, allowed.BODY, "body")
        self._spacing(body, "body")
        for element in list_(body.get("elements", []), "body.elements"):
            self._element(element, depth=0, in_form=False)
        if self._nodes > MOST_NODES:
            raise bad_card(11310, f"card element number over limit, {self._nodes} elements")
        if self._tables > MOST_TABLES:
            raise bad_card(11310, "card table number over limit")

    def _config(self, config: dict[str, Any]) -> None:
        self._keys(config, allowed.CONFIG, "config")
        if config.get("update_multi", True) is not True:
            raise bad_card(300302, "update_multi may only be true in 2.0")
        for locale in list_(config.get("locales", []), "config.locales"):
            if locale not in allowed.LOCALES:
                raise wrong(f"unknown locale {locale!r}")
        if "summary" in config:
            summary = object_(config["summary"], "config.summary")
            self._keys(summary, frozenset({"content", "i18n_content"}), "config.summary")
        sizes = object_(object_(config.get("style", {}), "config.style").get("text_size", {}), "text_size")
        self._sizes |= set(sizes)

    def _header(self, header: dict[str, Any]) -> None:
        self._keys(header, allowed.HEADER, "header")
        if "title" not in header:
            raise wrong("header.title is required")
        self._part(header["title"], "header.title")
        for name in ("subtitle", "icon"):
            if name in header:
                self._part(header[name], f"header.{name}")
        if header.get("template", "default") not in allowed.TEMPLATES:
            raise wrong(f"unknown header template {header['template']!r}")
        lists = [header.get("text_tag_list", [])]
        lists += list(object_(header.get("i18n_text_tag_list", {}), "i18n_text_tag_list").values())
        for tags in lists:
            if len(list_(tags, "text_tag_list")) > 3:
                raise wrong("more than 3 text tags in the header")
            for tag in tags:
                self._part(tag, "text_tag")

    def _element(self, element: object, depth: int, in_form: bool) -> None:
        node = object_(element, "element")
        tag = node.get("tag")
        if tag not in allowed.COMPONENTS or tag == "column":
            raise bad_card(200861, f"unsupported type of element, tag: {tag}; ErrorValue: {tag}")
        self._nodes += 1
        self._keys(node, allowed.COMPONENTS[tag], tag)
        self._common(node, tag)
        if tag in allowed.ROOT_ONLY and depth > 0:
            raise bad_card(200861, f"{tag} may only stand directly under body.elements")
        if tag in allowed.FORM_ONLY and not in_form:
            raise bad_card(200861, f"{tag} may only stand inside a form")
        if depth > DEEPEST:
            raise wrong(f"containers are nested more than {DEEPEST} levels deep")
        if tag in allowed.INTERACTIVE_TAGS:
            self._interactive(node, tag, in_form)
        check = getattr(self, f"_{tag}", None)
        if check is not None:
            check(node)
        self._inside(node, tag, depth, in_form)

    def _inside(self, node: dict[str, Any], tag: str, depth: int, in_form: bool) -> None:
        if tag == "form":
            self._form_children(node, depth)
        elif tag == "column_set":
            for column in list_(node.get("columns", []), "columns"):
                column = object_(column, "column")
                if column.get("tag") != "column":
                    raise bad_card(200861, f"unsupported tag in column_set: {column.get('tag')}")
                self._nodes += 1
                self._keys(column, allowed.COMPONENTS["column"], "column")
                self._common(column, "column")
                self._column(column)
                for child in list_(column.get("elements", []), "column.elements"):
                    self._element(child, depth + 1, in_form)
        elif "elements" in allowed.COMPONENTS[tag]:
            for child in list_(node.get("elements", []), f"{tag}.elements"):
                self._element(child, depth + 1, in_form)

    def _form_children(self, form: dict[str, Any], depth: int) -> None:
        name = form.get("name")
        if not isinstance(name, str) or not name:
            raise bad_card(200530, "form name is empty")
        self._own_name(name)
        for child in list_(form.get("elements", []), "form.elements"):
            self._element(child, depth + 1, True)
        if not any(button.get("form_action_type") == "submit" for button in _buttons(form)):
            raise bad_card(200530, "a form needs a submit button")

    def _own_name(self, name: str) -> None:
        """Names of forms and of their fields are unique in the whole card."""
        if name in self._names:
            raise bad_card(200530, f"the name {name} is used twice")
        self._names.add(name)

    def _interactive(self, node: dict[str, Any], tag: str, in_form: bool) -> None:
        if in_form and tag != "interactive_container":
            name = node.get("name")
            if not isinstance(name, str) or not name:
                raise bad_card(200530, f"the name of a {tag} in a form is empty")
            self._own_name(name)
        for behavior in list_(node.get("behaviors", []), f"{tag}.behaviors"):
            behavior = object_(behavior, "behavior")
            kind = behavior.get("type")
            if kind not in allowed.BEHAVIORS:
                raise wrong(f"unknown behavior {kind!r}")
            self._keys(behavior, allowed.BEHAVIORS[kind], "behavior")
            if kind == "callback" and not isinstance(behavior.get("value"), dict | str):
                raise wrong("the value of a callback must be an object or a string")
            if kind == "open_url":
                self._url(behavior)
        if "confirm" in node:
            confirm = object_(node["confirm"], "confirm")
            self._keys(confirm, allowed.CONFIRM, "confirm")
            if "title" not in confirm:
                raise wrong("confirm.title is required")
            for part in confirm.values():
                self._part(part, "confirm")
        self._options(node, tag)


def _buttons(node: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    children = list(node.get("elements", []))
    for column in node.get("columns", []) if node.get("tag") == "column_set" else []:
        children += column.get("elements", [])
    for child in children:
        if child.get("tag") == "button":
            found.append(child)
        found += _buttons(child)
    return found
