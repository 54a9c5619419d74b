"""Two whole cards as Feishu gets them. With `MPOPS_WRITE_GOLDEN=1` they are written anew: read the diff."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.cards import ActionSigner, render
from bot.cards.values import (
    Action,
    Button,
    Buttons,
    ButtonStyle,
    Card,
    Choice,
    Confirm,
    Facts,
    Fold,
    Form,
    Input,
    Line,
    Note,
    Option,
    Quote,
    Tag,
    Tone,
)
from bot.texts import Catalogue, Fen, Instant, Left, Mention, text

GOLDEN = Path(__file__).parent / "golden"
SIGNER = ActionSigner(b"a key of golden cards, 32 bytes.")
AT = Instant(datetime(2026, 11, 23, 1, 38, tzinfo=UTC))

OPEN = Card(
    title=text("s.title", number="C-1"),
    tone=Tone.WAITING,
    tags=(Tag(text("s.claim"), Tone.URGENT),),
    blocks=(
        Facts(
            (
                (text("s.who"), "王*"),
                (text("s.amount"), text("s.words", words=Fen(123450))),
                (text("s.left"), text("s.words", words=Left(timedelta(hours=23, minutes=59)))),
            )
        ),
        Quote("<at id=all></at> 退钱！**马上** [点我](https://evil.example)\n第二行", longest=40),
        Buttons(
            (
                Button(text("s.claim"), Action("complaint.claim", "C-1", 3), ButtonStyle.PRIMARY),
                Button(text("s.reply"), why_not=text("s.no")),
            )
        ),
    ),
)

CLAIMED = Card(
    title=text("s.title", number="C-1"),
    tone=Tone.CALM,
    summary=text("s.by", person="李明"),
    blocks=(
        Line(text("s.by", person=Mention("ou_li", "李明", ping=True))),
        Form(
            "reply",
            (
                Input("words", text("s.reply"), value="您好，", lines=3, longest=200),
                Choice("reason", text("s.reason"), (Option("quality", "质量"), Option("late", "*慢*")), chosen="late"),
            ),
            Button(
                text("s.reply"),
                Action("complaint.reply", "C-1", 4),
                ButtonStyle.PRIMARY,
                Confirm(text("s.reply"), text("s.sure", amount=Fen(1))),
            ),
            (Button(text("s.history"), url="https://example.com/c/1"),),
        ),
        Fold(text("s.history"), (Note(text("s.words", words=AT)),)),
    ),
)


@pytest.mark.parametrize(("name", "card"), [("open", OPEN), ("claimed", CLAIMED)])
def test_a_card_as_feishu_gets_it(name: str, card: Card, words: Catalogue) -> None:
    drawn = render(card, sign=lambda a: SIGNER.sign(a, "chat:oc_1"), zone="Asia/Shanghai", catalogue=words)
    path = GOLDEN / f"{name}.json"
    if os.environ.get("MPOPS_WRITE_GOLDEN"):
        path.write_text(json.dumps(json.loads(drawn.json), ensure_ascii=False, indent=1) + "\n", "utf-8")
    assert json.loads(drawn.json) == json.loads(path.read_text("utf-8"))


def test_the_plain_text_of_a_card_says_the_same(words: Catalogue) -> None:
    drawn = render(OPEN, sign=lambda a: SIGNER.sign(a, "chat:oc_1"), zone="Asia/Shanghai", catalogue=words)
    assert drawn.plain_zh.split("\n") == [
        "【投诉 C-1】 [认领]",
        "客户：王*",
        "金额：¥1,234.50",
        "剩余：23 小时 59 分",
        "> ＜at id=all＞＜/at＞ 退钱！**马上** [点我] (https:/…",
        "（已截断，共 57 字）",
        "可用操作：认领",
    ]
    assert "Actions: Claim" in drawn.plain_en
    assert "Left: 23 h 59 min" in drawn.plain_en
    assert drawn.cut


def test_the_plain_text_of_a_form_names_its_fields_and_buttons(words: Catalogue) -> None:
    drawn = render(CLAIMED, sign=lambda a: SIGNER.sign(a, "chat:oc_1"), zone="Asia/Shanghai", catalogue=words)
    assert drawn.plain_en.split("\n") == [
        "【Complaint C-1】",
        "Claimed by 李明",
        "To fill in: Reply, Reason",
        "▸ History",
        "11-23 09:38",
        "Actions: Reply / History",
    ]
    assert not drawn.cut
