"""The checks of single components and of what stands inside them. docs/platforms/feishu.md ("Card components")."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.feishu import card_schema as allowed
from sandbox.feishu.errors import Refused, bad_card


class Parts:
    """What one card used up so far, and the check of everything but its structure."""

    def __init__(self, person_known: Callable[[str], bool], image_known: Callable[[str], bool]) -> None:
        self._person_known, self._image_known = person_known, image_known
        self._nodes = self._tables = 0
        self._element_ids: set[str] = set()
        self._names: set[str] = set()
        self._sizes = set(allowed.TEXT_SIZES)

    def _common(self, node: dict[str, Any], tag: str) -> None:
        if "element_id" in node:
            element_id = node["element_id"]
            if not isinstance(element_id, str) or not allowed.ELEMENT_ID.fullmatch(element_id):
                raise bad_card(300301, f"element_id {element_id!r} is not valid")
            if element_id in self._element_ids:
                raise bad_card(300301, f"element_id {element_id} is used twice")
            self._element_ids.add(element_id)
        self._spacing(node, tag)
        for (owner, name), words in allowed.CHOICES.items():
            if owner == tag and name in node and node[name] not in words:
                raise wrong(f"{tag}.{name} may not be {node[name]!r}")
        if "text_size" in node and node["text_size"] not in self._sizes:
            raise wrong(f"unknown text_size {node['text_size']!r}")
        for name in ("text", "placeholder", "label", "alt", "title", "disabled_tips", "hover_tips", "icon"):
            if name in node:
                self._part(node[name], f"{tag}.{name}")

    def _spacing(self, node: Mapping[str, Any], where: str) -> None:
        for name, pattern in (("padding", allowed.PADDING), ("margin", allowed.MARGIN)):
            value = node.get(name)
            if value is not None and not (isinstance(value, str) and pattern.fullmatch(value)):
                raise wrong(f"{where}.{name} may not be {value!r}")
        for name in ("vertical_spacing", "horizontal_spacing"):
            value = node.get(name)
            if value is not None and value not in allowed.SPACING and not allowed.PADDING.fullmatch(str(value)):
                raise wrong(f"{where}.{name} may not be {value!r}")

    def _part(self, value: object, where: str) -> None:
        """A text, an icon or a text tag."""
        part = object_(value, where)
        tag = part.get("tag")
        if tag == "markdown":
            self._element(part, 0, False)
            return
        if tag not in allowed.PARTS:
            raise bad_card(200861, f"unsupported tag in {where}: {tag}; ErrorValue: {tag}")
        self._nodes += 1
        self._keys(part, allowed.PARTS[tag], where)
        if tag == "text_tag":
            if part.get("color", "neutral") not in allowed.TAG_COLOURS:
                raise wrong(f"unknown colour {part['color']!r} of a text tag")
            self._part(part.get("text"), "text_tag.text")
        elif tag == "custom_icon":
            self._image_key(part.get("img_key"))
        elif tag == "standard_icon":
            if not isinstance(part.get("token"), str):
                raise wrong("an icon without a token")
        else:
            if "text_size" in part and part["text_size"] not in self._sizes:
                raise wrong(f"unknown text_size {part['text_size']!r}")
            self._words(part, where, marked=tag == "lark_md")

    def _words(self, node: Mapping[str, Any], where: str, marked: bool) -> None:
        translations = object_(node.get("i18n_content", {}), f"{where}.i18n_content")
        for locale in translations:
            if locale not in allowed.LOCALES:
                raise wrong(f"unknown locale {locale!r}")
        for content in (node.get("content", ""), *translations.values()):
            if not isinstance(content, str):
                raise wrong(f"{where}.content is not a string")
            if marked:
                self._marked(content)

    def _marked(self, content: str) -> None:
        for first, second in allowed.MENTION.findall(content):
            if (first or second) != "all":
                self._person_id(first or second)
        for key in allowed.PICTURE.findall(content):
            self._image_key(key)
        if len(allowed.MARKDOWN_TABLE.findall(content)) > 4:
            raise bad_card(11310, "card table number over limit; ErrorValue: table")

    def _person_id(self, value: object) -> None:
        if not isinstance(value, str) or not self._person_known(value):
            raise bad_card(100290, f"invalid person id: {value}")

    def _image_key(self, key: object) -> None:
        if not isinstance(key, str) or not self._image_known(key):
            raise bad_card(200570, f"card contains invalid image keys: {key}")

    def _keys(self, node: Mapping[str, Any], known: frozenset[str], where: str) -> None:
        for key in node:
            if key not in known:
                raise wrong(f"unknown property; property: {key}, path: {where}")

    def _options(self, node: dict[str, Any], tag: str) -> None:
        values: set[str] = set()
        for option in list_(node.get("options", []), f"{tag}.options"):
            option = object_(option, "option")
            self._keys(option, allowed.OPTION, "option")
            value = option.get("value")
            if not isinstance(value, str) or not value:
                raise wrong(f"an option of {tag} has no value")
            if value in values:
                raise wrong(f"the option value {value} is used twice")
            values.add(value)
            if "person" in tag:
                self._person_id(value)
            if "img_key" in option:
                self._image_key(option["img_key"])
            for part in ("text", "icon"):
                if part in option:
                    self._part(option[part], f"option.{part}")
        if tag in ("select_static", "multi_select_static", "overflow", "select_img") and not values:
            raise wrong(f"{tag} has no options")
        for chosen in [node.get("initial_option"), *list_(node.get("selected_values", []), "selected_values")]:
            if chosen and values and chosen not in values:
                raise wrong(f"{chosen!r} is not one of the options of {tag}")

    def _url(self, behavior: Mapping[str, Any]) -> None:
        urls = [url for key, url in behavior.items() if key != "type" and url]
        if not urls:
            raise wrong("open_url without an address")
        for url in urls:
            if not isinstance(url, str) or not url.startswith(("http://", "https://", "lark://", "feishu://", "tel:")):
                raise wrong("open_url with an address that is no link")

    def _markdown(self, node: dict[str, Any]) -> None:
        self._words(node, "markdown", marked=True)

    def _column(self, node: dict[str, Any]) -> None:
        width = node.get("width", "auto")
        if not isinstance(width, str):
            raise wrong("column.width must be a string")
        weight = node.get("weight", 1)
        if not isinstance(weight, int) or not 1 <= weight <= 5:
            raise wrong("column.weight must be between 1 and 5")

    def _img(self, node: dict[str, Any]) -> None:
        self._image_key(node.get("img_key"))
        if "alt" not in node:
            raise wrong("img.alt is required")

    def _img_combination(self, node: dict[str, Any]) -> None:
        for image in list_(node.get("img_list", []), "img_list"):
            self._image_key(object_(image, "img_list").get("img_key"))

    def _person(self, node: dict[str, Any]) -> None:
        self._person_id(node.get("user_id"))

    def _person_list(self, node: dict[str, Any]) -> None:
        for person in list_(node.get("persons"), "persons"):
            identity = object_(person, "persons").get("id")
            if not node.get("drop_invalid_user_id"):
                self._person_id(identity)

    def _chart(self, node: dict[str, Any]) -> None:
        spec = node.get("chart_spec")
        if not isinstance(spec, dict) or not isinstance(spec.get("type"), str) or "data" not in spec:
            raise bad_card(200550, "chart spec is invalid, ErrPath: chart_spec")

    def _collapsible_panel(self, node: dict[str, Any]) -> None:
        header = object_(node.get("header"), "collapsible_panel.header")
        self._keys(header, allowed.PANEL_HEADER, "collapsible_panel.header")
        self._part(header.get("title"), "collapsible_panel.header.title")
        if "icon" in header:
            self._part(header["icon"], "collapsible_panel.header.icon")

    def _interactive_container(self, node: dict[str, Any]) -> None:
        if not node.get("behaviors"):
            raise wrong("interactive_container.behaviors is required")

    def _button(self, node: dict[str, Any]) -> None:
        if "text" not in node and "icon" not in node:
            raise wrong("a button needs a text or an icon")

    def _input(self, node: dict[str, Any]) -> None:
        longest = node.get("max_length", 1000)
        if isinstance(longest, bool) or not isinstance(longest, int) or not 1 <= longest <= 1000:
            raise wrong("input.max_length must be between 1 and 1000")
        for name in ("placeholder", "label"):
            if name == "placeholder" and len(str(object_(node.get(name, {}), name).get("content", ""))) > 100:
                raise wrong("input.placeholder is longer than 100 characters")
        if len(str(node.get("default_value", ""))) > longest:
            raise wrong("input.default_value is longer than max_length")

    def _table(self, node: dict[str, Any]) -> None:
        self._tables += 1
        page_size = node.get("page_size", 5)
        if isinstance(page_size, bool) or not isinstance(page_size, int) or not 1 <= page_size <= 10:
            raise wrong("table.page_size must be between 1 and 10")
        columns = list_(node.get("columns"), "table.columns")
        if not 1 <= len(columns) <= 50:
            raise wrong("a table has 1 to 50 columns")
        kinds: dict[str, str] = {}
        for column in columns:
            column = object_(column, "table.columns")
            self._keys(column, allowed.TABLE_COLUMN, "table.columns")
            if column.get("data_type") not in allowed.DATA_TYPES or not isinstance(column.get("name"), str):
                raise wrong("a table column needs a name and a known data_type")
            kinds[column["name"]] = column["data_type"]
        for row in list_(node.get("rows", []), "table.rows"):
            for name, cell in object_(row, "table.rows").items():
                if name not in kinds:
                    raise bad_card(200915, f"table row name {name} is not in columns")
                self._cell(kinds[name], cell)

    def _cell(self, kind: str, cell: object) -> None:
        good = {
            "text": isinstance(cell, str),
            "lark_md": isinstance(cell, str),
            "markdown": isinstance(cell, str),
            "number": isinstance(cell, int | float),
            "date": isinstance(cell, int | float),
            "persons": isinstance(cell, str | list),
            "options": isinstance(cell, str | list),
        }[kind]
        if not good:
            raise bad_card(200914, f"table rows: a cell of type {kind} is invalid")
        if kind in ("lark_md", "markdown"):
            self._marked(str(cell))
        if kind == "persons":
            for person in cell if isinstance(cell, list) else [cell]:
                self._person_id(person)

    def _element(self, element: object, depth: int, in_form: bool) -> None:
        """Look at any element: `sandbox/feishu/cards.py`, which goes through the whole card, says how."""
        raise NotImplementedError


def wrong(what: str) -> Refused:
    return bad_card(200621, f"parse card json err, {what}")


def object_(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise wrong(f"{where} is not an object")
    return value


def list_(value: object, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise wrong(f"{where} is not a list")
    return value
