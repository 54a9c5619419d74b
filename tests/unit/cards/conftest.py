from __future__ import annotations

import pytest

from bot.texts import LANGUAGES, Catalogue, catalogue

SAMPLES = {
    "zh_cn": {
        "s.title": "投诉 {number}",
        "s.words": "{words}",
        "s.claim": "认领",
        "s.reply": "回复",
        "s.reason": "原因",
        "s.amount": "金额",
        "s.who": "客户",
        "s.left": "剩余",
        "s.sure": "确定要退款 {amount} 吗？",
        "s.no": "你没有权限",
        "s.history": "协商历史",
        "s.by": "{person} 已认领",
        "s.list": "1. 先 *看* 再 [做]",
    },
    "en_us": {
        "s.title": "Complaint {number}",
        "s.words": "{words}",
        "s.claim": "Claim",
        "s.reply": "Reply",
        "s.reason": "Reason",
        "s.amount": "Amount",
        "s.who": "Customer",
        "s.left": "Left",
        "s.sure": "Really refund {amount}?",
        "s.no": "You may not",
        "s.history": "History",
        "s.by": "Claimed by {person}",
        "s.list": "1. *look* before you [act]",
    },
}


@pytest.fixture(scope="session")
def words() -> Catalogue:
    """The packaged texts of cards and some more for samples."""
    packaged = catalogue()
    return Catalogue(
        {
            language: {key: packaged.template(key, language) for key in packaged.keys(language)} | SAMPLES[language]
            for language in LANGUAGES
        },
        strict=True,
    )
