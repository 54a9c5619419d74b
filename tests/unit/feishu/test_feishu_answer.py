from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.feishu.caller import Answer


@pytest.mark.parametrize("header", ["Thu, 01 Jan 2026 00:00:00 GMT", "Thu, 01 Jan 2026 08:00:00 +0800"])
def test_the_date_header_is_read_as_aware_time(header: str) -> None:
    assert Answer({}, {"date": header}).date == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_date_without_a_zone_is_taken_for_utc() -> None:
    date = Answer({}, {"date": "Thu, 01 Jan 2026 00:00:00 -0000"}).date
    assert date == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("header", ["", "soon", "Thu, 99 Jan 99999 00:00:00 GMT", "0"])
def test_no_date_is_none(header: str) -> None:
    assert Answer({}, {"date": header}).date is None


def test_data_of_another_shape_is_empty() -> None:
    assert Answer({"code": 0, "data": []}, {}).data == {}
