"""Charts: (label, value) pairs as a VChart description without code.

See docs/platforms/feishu.md ("Card components").
"""

from __future__ import annotations

from bot.cards import limits
from bot.cards.text_objects import Json, TextWriter
from bot.cards.values import Chart, ChartKind
from bot.texts import text

_SHAPES: dict[ChartKind, Json] = {
    ChartKind.BAR: {"type": "bar", "xField": "label", "yField": "value", "label": {"visible": True}},
    ChartKind.LINE: {"type": "line", "xField": "label", "yField": "value", "label": {"visible": True}},
    ChartKind.PIE: {
        "type": "pie",
        "categoryField": "label",
        "valueField": "value",
        "outerRadius": 0.9,
        "innerRadius": 0.5,
        "label": {"visible": True},
        "legends": {"visible": True, "orient": "bottom"},
    },
}


def chart(writer: TextWriter, block: Chart) -> list[Json]:
    """A title and a chart, or a word that there is nothing to draw.

    Feishu translates no charts: labels carry both languages, and the title stands above as a paragraph that it does
    translate. The hidden one names the chart for those who cannot see it.
    """
    if not block.values:
        nothing = text("card.chart.empty", title=block.title)
        return [writer.paragraph(lambda language: writer.markdown(nothing, language), small=True)]
    shown = block.values[: writer.limits.rows]
    writer.shortened |= len(shown) < len(block.values)
    values = [{"label": writer.bilingual(label, limits.LABEL), "value": value} for label, value in shown]
    spec: Json = {
        **_SHAPES[block.kind],
        "title": {"text": writer.bilingual(block.title, limits.TITLE), "visible": False},
        "data": {"values": values},
    }
    title = writer.paragraph(lambda language: f"**{writer.markdown(block.title, language)}**")
    return [title, {"tag": "chart", "aspect_ratio": "2:1", "chart_spec": spec}]
