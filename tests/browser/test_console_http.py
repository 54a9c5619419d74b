"""The console's HTTP: only its own page may drive it, and what it refuses it explains."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest

import sandbox.console
from tests.browser.console_world import GROUP, WU, ZHOU, ConsoleWorld, card

STATIC = Path(sandbox.console.__file__).parent / "static"
SCRIPTS = sorted((STATIC / "js").rglob("*.js"))


@pytest.fixture
def http(world: ConsoleWorld) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=world.sandbox.url, trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def world() -> Iterator[ConsoleWorld]:
    """One for all of these tests, for its keys take time to make: none may count on an empty chat."""
    with ConsoleWorld() as world:
        yield world


def act(http: httpx.Client, name: str, /, **body: object) -> httpx.Response:
    return http.post(f"/console/{name}", json=body)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "evil.example"},
    ],
)
def test_other_sites_cannot_act(world: ConsoleWorld, http: httpx.Client, headers: dict[str, str]) -> None:
    before = list(world.feishu.store.in_chat(GROUP))
    answer = http.post("/console/send", json={"me": ZHOU, "chat": GROUP, "text": "hi"}, headers=headers)
    assert answer.status_code == 403
    assert world.feishu.store.in_chat(GROUP) == before


def test_another_host_name_reads_nothing(http: httpx.Client) -> None:
    assert http.get("/console/state", headers={"Host": "rebound.example"}).status_code == 403


def test_a_form_post_is_no_action(world: ConsoleWorld, http: httpx.Client) -> None:
    answer = http.post("/console/leave", data={"open_id": WU})
    assert answer.status_code == 400
    assert not world.feishu.store.users[WU].resigned


@pytest.mark.parametrize(
    ("action", "body", "status", "words"),
    [
        ("nothing", {}, 404, "no action"),
        ("send", {"me": ZHOU, "chat": GROUP}, 400, "text: Field required"),
        ("send", {"me": ZHOU, "chat": GROUP, "text": "  "}, 409, "empty"),
        ("send", {"me": "ou_nobody", "chat": GROUP, "text": "x"}, 404, "ou_nobody"),
        ("send", {"me": ZHOU, "chat": "oc_none", "text": "x"}, 404, "oc_none"),
        ("send", {"me": ZHOU, "chat": GROUP, "text": "x", "more": 1}, 400, "more"),
        ("click", {"me": ZHOU, "message_id": "om_none", "path": "body.elements.0", "tag": "button"}, 404, "om_none"),
        ("complain", {}, 400, "write what the customer says"),
        ("complain", {"text": "x", "amount_fen": 0}, 400, "amount_fen"),
        ("complain", {"sample": "no_such"}, 404, "no_such"),
        ("complaint", {"complaint_id": "1", "action": "write", "text": "x"}, 404, "no such complaint"),
        ("advance", {}, 409, "seconds or to"),
        ("advance", {"to": "25:00"}, 400, "to"),
        ("fault", {"platform": "mars", "kind": "down"}, 409, "mars"),
        ("fault", {"platform": "feishu", "kind": "melt"}, 400, "kind"),
        ("leave", {"open_id": "ou_nobody"}, 404, "ou_nobody"),
    ],
)
def test_what_cannot_be_done_is_explained(
    http: httpx.Client, action: str, body: dict[str, object], status: int, words: str
) -> None:
    answer = act(http, action, **body)
    assert answer.status_code == status
    assert words in answer.json()["error"]


@pytest.mark.parametrize("hour", [1, 8, 9, 23])
def test_tomorrow_is_the_next_day_at_any_hour(world: ConsoleWorld, http: httpx.Client, hour: int) -> None:
    """At one in the night the next 09:00 is still today's: a digest then sums up the day before."""
    clock, zone = world.sandbox.world.clock, ZoneInfo("Asia/Shanghai")
    before = clock.offset
    try:
        assert act(http, "advance", to=f"{hour:02}:30", tomorrow=True).status_code == 200
        today = clock.now().astimezone(zone).date()
        assert act(http, "advance", to="09:00", tomorrow=True).status_code == 200
        assert f"{clock.now().astimezone(zone):%Y-%m-%d %H:%M}" == f"{today + timedelta(days=1)} 09:00"
    finally:
        clock.advance(before - clock.offset)  # the other tests' tokens are of today


def test_only_ones_own_message_is_edited_or_recalled(world: ConsoleWorld, http: httpx.Client) -> None:
    message = world.feishu.user_sends(WU, GROUP, "我的", mention_bot=False)
    assert act(http, "recall", me=ZHOU, message_id=message.message_id).status_code == 409
    assert act(http, "edit", me=ZHOU, message_id=message.message_id, text="x").status_code == 409
    assert act(http, "edit", me=WU, message_id=message.message_id, text="新").status_code == 200
    assert act(http, "recall", me=WU, message_id=message.message_id).status_code == 200
    shown = http.get("/console/state", params={"me": ZHOU, "chat": GROUP}).json()["world"]["messages"]
    assert [(one["recalled"], one.get("text")) for one in shown][-1] == (True, None)


def test_the_state_is_told_once(world: ConsoleWorld, http: httpx.Client) -> None:
    world.post(card({"tag": "markdown", "content": "x"}))
    first = http.get("/console/state", params={"me": ZHOU, "chat": GROUP}).json()
    assert first["world"]["messages"][-1]["card"]["schema"] == "2.0"
    last = first["calls"][-1]["number"]
    again = http.get("/console/state", params={"me": ZHOU, "version": first["version"], "since": last}).json()
    assert again["unchanged"]
    assert again["calls"] == []
    assert "world" not in again
    world.sandbox.world.clock.advance(timedelta(hours=1))
    moved = http.get("/console/state", params={"me": ZHOU, "version": first["version"]}).json()
    assert "world" in moved


def test_nine_in_the_morning_comes_next(world: ConsoleWorld, http: httpx.Client) -> None:
    told = act(http, "advance", to="09:00").json()["now"]
    assert datetime.fromtimestamp(told / 1000, UTC).strftime("%H:%M") == "01:00"
    again = act(http, "advance", to="09:00").json()["now"]
    assert 86_390_000 < again - told < 86_400_100


def test_a_picture_is_served_but_never_as_a_page(world: ConsoleWorld, http: httpx.Client) -> None:
    evil = world.feishu.user_uploads(ZHOU, b"<script>1</script>", "a.svg", "image/svg+xml")
    answer = http.get(f"/console/image/{evil.key}")
    assert answer.headers["content-type"].startswith("application/octet-stream")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert http.get("/console/image/img_none").status_code == 404
    assert http.get("/console/image/..%2Fapi.py").status_code in (404, 405)
    assert http.get("/console/static/..%2Fapi.py").status_code == 404


def test_no_script_parses_data_as_html() -> None:
    risky = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setTimeout\(['\"]"
    )
    assert SCRIPTS
    assert [script.name for script in SCRIPTS if risky.search(script.read_text())] == []


def test_both_catalogues_have_every_word() -> None:
    key = re.compile(r"^  \"?([\w.]+)\"?: ", re.MULTILINE)
    chinese = set(key.findall((STATIC / "js" / "texts_zh.js").read_text()))
    english = set(key.findall((STATIC / "js" / "texts_en.js").read_text()))
    used = {found for script in SCRIPTS for found in re.findall(r"\bt\(\"([\w.]+)\"", script.read_text())}
    assert chinese == english
    assert used <= chinese
    assert len(used) > 100
