"""Health, readiness and numbers, whatever the parts behind them do."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Any, cast

import pytest
from flask import Blueprint
from flask.testing import FlaskClient

from bot.area import Area, Areas
from bot.contributions.web_routes import Routes
from bot.incoming.webhooks import Webhooks
from bot.server.flask_app import build_app
from bot.telemetry.gauges import Measured, Reading, one
from bot.telemetry.metrics import Metrics
from bot.texts import text


class NoWebhooks:
    """Nothing comes in here."""

    def blueprint(self) -> Blueprint:
        return Blueprint("nothing", __name__)


class Parts:
    """What the pages ask."""

    def __init__(self) -> None:
        self.ready: dict[str, bool] = {"database": True, "engine": True, "schedule": True}
        self.metrics = Metrics()
        self.measured = 0
        self.fails = False
        self.metrics.measured(self.measure)

    def measure(self) -> Iterable[Reading]:
        self.measured += 1
        if self.fails:
            raise RuntimeError("hunter2")
        return [one("inbox_waiting", "Items waiting", 7)]

    def client(self) -> FlaskClient:
        app = build_app(cast(Webhooks, NoWebhooks()), self.metrics, lambda: self.ready, Areas())
        return app.test_client()


@pytest.mark.parametrize("down", ["database", "engine", "schedule"])
def test_not_ready_while_one_part_is_down_and_up_all_the_same(down: str) -> None:
    parts = Parts()
    assert parts.client().get("/readyz").status_code == 200
    parts.ready[down] = False
    answer = parts.client().get("/readyz")
    assert answer.status_code == 503
    told: dict[str, Any] = answer.get_json()
    assert told["status"] == "not ready"
    assert [name for name, well in told.items() if well is False] == [down]
    assert parts.client().get("/healthz").get_json() == {"status": "up"}


def test_numbers_are_measured_when_they_are_asked_for() -> None:
    parts = Parts()
    parts.metrics.received("feishu", "im.message.receive_v1", fresh=True)
    parts.metrics.received("feishu", "im.message.receive_v1", fresh=False)
    parts.metrics.refused("feishu")
    words = parts.client().get("/metrics").get_data(as_text=True)
    assert parts.client().get("/metrics").get_data(as_text=True) == words
    assert parts.measured == 1, "and not each time"
    assert 'mpops_received_total{fresh="yes",kind="im.message.receive_v1",source="feishu"} 1.0' in words
    assert 'mpops_received_total{fresh="repeat",kind="im.message.receive_v1",source="feishu"} 1.0' in words
    assert 'mpops_refused_total{reason="unproven",source="feishu"} 1.0' in words
    assert "mpops_database_up 1.0" in words
    assert "mpops_inbox_waiting 7.0" in words


def test_two_bots_in_one_process_count_apart() -> None:
    one, other = Parts(), Parts()
    one.metrics.refused("feishu")
    assert b"mpops_refused_total{" not in other.metrics.page()


def test_numbers_that_cannot_be_read_keep_nobody_from_the_others() -> None:
    parts = Parts()
    parts.metrics.refused("feishu", "words of a stranger")
    parts.fails = True
    answer = parts.client().get("/metrics")
    words = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "hunter2" not in words
    assert "mpops_database_up 0.0" in words
    assert "mpops_inbox_waiting" not in words, "nothing that is not known is told"
    assert 'mpops_refused_total{reason="other",source="feishu"} 1.0' in words


def test_numbers_that_take_long_keep_nobody_waiting_and_stand_on_a_later_page() -> None:
    go_on = threading.Event()

    def slow() -> Iterable[Reading]:
        go_on.wait(20)
        return [one("inbox_waiting", "Items waiting", 7)]

    measured = Measured(slow, fresh=0, patience=0.05)

    def told() -> set[str]:
        return {family.name for family in measured.collect()}

    assert told() == {"mpops_database_up"}
    assert told() == {"mpops_database_up"}, "and nobody asks twice at once"
    go_on.set()
    until = time.monotonic() + 10
    while "mpops_inbox_waiting" not in told():
        assert time.monotonic() < until


def test_a_defect_tells_the_caller_nothing() -> None:
    parts = Parts()

    def broken() -> dict[str, bool]:
        raise RuntimeError("hunter2")

    app = build_app(cast(Webhooks, NoWebhooks()), parts.metrics, broken, Areas())
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.get_json()) == (500, {"code": 500, "msg": "Internal Server Error"})
    assert b"hunter2" not in answer.data


def test_an_address_that_an_area_brings_is_answered_and_leaves_the_others_alone() -> None:
    def blueprint() -> Blueprint:
        page = Blueprint("page", __name__)
        page.get("/page/<name>")(lambda name: name)
        return page

    areas = Areas(Area("pages", text("help.title"), (Routes("page", blueprint),)))
    parts = Parts()
    for _ in range(2):  # each web server has its own
        client = build_app(cast(Webhooks, NoWebhooks()), parts.metrics, lambda: parts.ready, areas).test_client()
        assert client.get("/page/one").text == "one"
        assert client.get("/page").status_code == 404
        assert client.get("/healthz").status_code == 200
