"""What Card JSON 2.0 allows: properties by component, values by property. open.feishu.cn card-json-v2-structure."""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Every component takes these.
COMMON = frozenset({"tag", "element_id", "margin"})
_TEXT = frozenset({"tag", "content", "i18n_content", "text_size", "text_color", "text_align", "lines"})
_LAYOUT = frozenset(
    {"direction", "padding", "vertical_spacing", "horizontal_spacing", "horizontal_align", "vertical_align", "elements"}
)
_INTERACTIVE = frozenset(
    {"behaviors", "confirm", "disabled", "disabled_tips", "hover_tips", "name", "required", "width"}
)
_PICKER = _INTERACTIVE | {"placeholder", "value"}
_SELECT = _INTERACTIVE | {"placeholder", "options", "type"}

COMPONENTS: dict[str, frozenset[str]] = {
    tag: COMMON | properties
    for tag, properties in {
        "markdown": frozenset({"content", "i18n_content", "text_align", "text_size", "icon"}),
        "div": frozenset({"text", "icon", "width"}),
        "img": frozenset(
            {
                "img_key",
                "i18n_img_key",
                "alt",
                "title",
                "scale_type",
                "size",
                "corner_radius",
                "preview",
                "transparent",
            }
        ),
        "img_combination": frozenset(
            {"combination_mode", "combination_transparent", "img_list", "img_list_length", "corner_radius"}
        ),
        "hr": frozenset(),
        "person": frozenset({"user_id", "size", "show_avatar", "show_name", "style"}),
        "person_list": frozenset(
            {"persons", "show_name", "show_avatar", "lines", "size", "drop_invalid_user_id", "icon", "ud_icon"}
        ),
        "table": frozenset(
            {
                "page_size",
                "row_height",
                "row_max_height",
                "freeze_first_column",
                "header_style",
                "columns",
                "rows",
            }
        ),
        "chart": frozenset({"chart_spec", "aspect_ratio", "height", "color_theme", "preview"}),
        "column_set": frozenset(
            {"columns", "flex_mode", "background_style", "horizontal_spacing", "horizontal_align", "action"}
        ),
        "column": _LAYOUT | {"width", "weight", "background_style", "action"},
        "form": _LAYOUT | {"name"},
        "interactive_container": _LAYOUT
        | {
            "behaviors",
            "width",
            "height",
            "background_style",
            "has_border",
            "border_color",
            "corner_radius",
            "disabled",
            "disabled_tips",
            "hover_tips",
            "confirm",
        },
        "collapsible_panel": _LAYOUT | {"expanded", "header", "border", "background_color"},
        "button": _INTERACTIVE | {"text", "type", "size", "icon", "form_action_type"},
        "input": _INTERACTIVE
        | {
            "placeholder",
            "default_value",
            "i18n_default_value",
            "label",
            "label_position",
            "max_length",
            "input_type",
            "rows",
            "auto_resize",
            "max_rows",
            "show_icon",
            "value",
        },
        "select_static": _SELECT | {"initial_option", "initial_index", "value"},
        "multi_select_static": _SELECT | {"selected_values"},
        "select_person": _SELECT | {"initial_option", "value"},
        "multi_select_person": _SELECT | {"selected_values"},
        "date_picker": _PICKER | {"initial_date"},
        "picker_time": _PICKER | {"initial_time"},
        "picker_datetime": _PICKER | {"initial_datetime"},
        "overflow": _INTERACTIVE | {"options", "value"},
        "checker": _INTERACTIVE
        | {
            "checked",
            "text",
            "overall_checkable",
            "button_area",
            "checked_style",
            "padding",
            "pc_display_rule",
        },
        "select_img": _INTERACTIVE
        | {
            "options",
            "multi_select",
            "layout",
            "aspect_ratio",
            "can_preview",
            "style",
            "selected_values",
            "value",
        },
    }.items()
}

# Objects that are no components of a body but carry a tag.
PARTS: dict[str, frozenset[str]] = {
    "plain_text": _TEXT,
    "lark_md": _TEXT,
    "standard_icon": frozenset({"tag", "token", "color", "size"}),
    "custom_icon": frozenset({"tag", "img_key", "color", "size"}),
    "text_tag": frozenset({"tag", "text", "color", "element_id"}),
}

INTERACTIVE_TAGS = frozenset(
    {
        "button",
        "input",
        "select_static",
        "multi_select_static",
        "select_person",
        "multi_select_person",
        "date_picker",
        "picker_time",
        "picker_datetime",
        "overflow",
        "checker",
        "select_img",
        "interactive_container",
    }
)
FORM_ONLY = frozenset({"multi_select_static", "multi_select_person"})
ROOT_ONLY = frozenset({"form", "table"})

ROOT = frozenset({"schema", "config", "card_link", "header", "body"})
BODY = _LAYOUT
CONFIG = frozenset(
    {
        "update_multi",
        "enable_forward",
        "enable_forward_interaction",
        "width_mode",
        "streaming_mode",
        "streaming_config",
        "summary",
        "locales",
        "use_custom_translation",
        "style",
    }
)
HEADER = frozenset({"title", "subtitle", "text_tag_list", "i18n_text_tag_list", "template", "icon", "padding"})
LINK = frozenset({"url", "pc_url", "ios_url", "android_url"})
BEHAVIORS = {
    "open_url": frozenset({"type", "default_url", "android_url", "ios_url", "pc_url"}),
    "callback": frozenset({"type", "value"}),
}
CONFIRM = frozenset({"title", "text"})
OPTION = frozenset({"text", "value", "icon", "multi_url", "img_key", "disabled", "disabled_tips", "hover_tips"})
TABLE_COLUMN = frozenset(
    {
        "name",
        "display_name",
        "i18n_display_name",
        "width",
        "horizontal_align",
        "vertical_align",
        "data_type",
        "format",
        "date_format",
    }
)
PANEL_HEADER = frozenset(
    {
        "title",
        "width",
        "vertical_align",
        "padding",
        "position",
        "icon",
        "icon_position",
        "icon_expanded_angle",
        "background_color",
    }
)

LOCALES = _words("en_us zh_cn zh_hk zh_tw ja_jp id_id vi_vn th_th pt_br es_es ko_kr de_de fr_fr it_it ru_ru ms_my")
TEMPLATES = _words("blue wathet turquoise green yellow orange red carmine violet purple indigo grey default")
TAG_COLOURS = _words("neutral blue turquoise lime orange violet indigo wathet green yellow red purple carmine")
TEXT_SIZES = _words(
    "heading-0 heading-1 heading-2 heading-3 heading-4 heading normal notation xxxx-large xxx-large "
    "xx-large x-large large medium small x-small"
)
DATA_TYPES = _words("text lark_md markdown options number persons date")
SPACING = _words("small medium large extra_large")

# (component, property) -> the words it may be. Only closed lists of the documentation.
CHOICES: dict[tuple[str, str], frozenset[str]] = {
    ("button", "type"): _words(
        "default primary danger text primary_text danger_text primary_filled danger_filled laser"
    ),
    ("button", "size"): _words("tiny small medium large"),
    ("button", "form_action_type"): frozenset({"submit", "reset"}),
    ("input", "label_position"): frozenset({"top", "left"}),
    ("input", "input_type"): frozenset({"text", "multiline_text", "password"}),
    ("select_static", "type"): frozenset({"default", "text"}),
    ("markdown", "text_align"): frozenset({"left", "center", "right"}),
    ("column_set", "flex_mode"): _words("none stretch flow bisect trisect"),
    ("img", "scale_type"): _words("crop_center crop_top fit_horizontal"),
    ("img_combination", "combination_mode"): _words("double triple bisect trisect"),
    ("chart", "aspect_ratio"): _words("1:1 2:1 4:3 16:9"),
    ("chart", "color_theme"): _words("brand rainbow complementary converse primary"),
    ("select_img", "layout"): _words("stretch bisect trisect"),
    ("column", "vertical_align"): _words("top center bottom"),
    ("person", "style"): frozenset({"normal", "capsule"}),
}

ELEMENT_ID = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,19}")
MENTION = re.compile(r"<at\s+id=[\"']?([^\s\"'>]+)[\"']?\s*>|<person\s+id\s*=\s*[\"']([^\"']+)[\"']")
PICTURE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)\)")
MARKDOWN_TABLE = re.compile(r"^\s*\|?\s*:?-{3,}:?\s*(\|\s*:?-{3,}:?\s*)+\|?\s*$", re.MULTILINE)
PADDING = re.compile(r"\d{1,2}px( \d{1,2}px){0,3}")
MARGIN = re.compile(r"-?\d{1,2}px( -?\d{1,2}px){0,3}")
