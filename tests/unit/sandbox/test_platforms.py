"""A further platform takes a class and its place in the list: here pigeon post, driven over HTTP as the others are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
from flask import Blueprint, Response, jsonify

from sandbox.company import found
from sandbox.faults import CallFault, PushFault
from sandbox.panel import Action, Answer, Body, Id, NotPossible, Viewer
from sandbox.platform import Picture, Platform
from sandbox.platforms import PLATFORMS
from sandbox.server import Sandbox
from sandbox.world import World

PNG = b"\x89PNG\r\n\x1a\n"


class Release(Body):
    bird: Id


class Pigeons(Platform):
    """A loft of birds: whoever asks is told which are at home, and on the page one can be let out."""

    name = "pigeons"
    title = {"zh": "信鸽", "en": "Pigeon post"}
    prefixes = ("/loft",)
    secret_paths = ("/loft/letters",)
    faults = (CallFault.TOO_MANY, CallFault.DOWN, PushFault.LOSE)

    def __init__(self, world: World) -> None:
        self.world = world
        self.at_home = ["Blue"]
        self.running = False

    def start(self) -> None:
        self.running = True

    def stop(self) -> None:
        self.running = False

    def blueprint(self) -> Blueprint:
        routes = Blueprint(self.name, __name__)

        @routes.get("/loft/birds")
        def birds() -> Response:
            with self.world.lock:
                return jsonify({"code": 0, "birds": self.at_home})

        @routes.post("/loft/letters")
        def letters() -> Response:
            return jsonify({"code": 0})

        return routes

    def error_answer(self, kind: CallFault) -> Response:
        answer = jsonify({"code": 7, "msg": "no bird is free"})
        answer.status_code = 429
        return answer

    def actions(self) -> Mapping[str, Action[Any]]:
        return {"release": Action(Release, self._release)}

    def page(self, who: Viewer) -> Mapping[str, Any]:
        return {"birds": list(self.at_home)}

    def books_page(self) -> Mapping[str, Any]:
        return {"count": len(self.at_home)}

    def picture(self, key: str) -> Picture | None:
        return Picture("image/png", PNG) if key == "bird_1" else None

    def found_company(self) -> Mapping[str, Any]:
        self.at_home.append("Red")
        return {"bird": "Red"}

    def _release(self, who: Viewer, given: Release) -> Answer:
        if given.bird not in self.at_home:
            raise NotPossible(f"{given.bird} is out")
        self.at_home.remove(given.bird)
        self.world.changed()
        return {"left": len(self.at_home)}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(platforms=[*PLATFORMS, Pigeons]) as running:
        yield running


@pytest.fixture
def http(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.url, trust_env=False) as client:
        yield client


def shown(http: httpx.Client) -> dict[str, Any]:
    world: dict[str, Any] = http.get("/console/state").json()["world"]
    return world


def test_its_routes_answer_and_its_calls_are_written_down(sandbox: Sandbox, http: httpx.Client) -> None:
    assert http.get("/loft/birds").json() == {"code": 0, "birds": ["Blue"]}
    http.post("/loft/letters", json={"text": "for your eyes only"})
    asked, sent = sandbox.world.calls.since()
    assert (asked.platform, asked.direction, asked.path, asked.code) == ("pigeons", "in", "/loft/birds", "0")
    assert (sent.path, sent.summary) == ("/loft/letters", "")


def test_its_action_is_done_by_the_console(http: httpx.Client) -> None:
    assert http.post("/console/release", json={"bird": "Blue"}).json() == {"left": 0}
    again = http.post("/console/release", json={"bird": "Blue"})
    assert (again.status_code, again.json()) == (409, {"error": "Blue is out"})
    assert http.post("/console/release", json={}).status_code == 400


def test_a_fault_strikes_it_alone_and_in_its_own_words(http: httpx.Client) -> None:
    assert http.post("/console/fault", json={"platform": "pigeons", "kind": "too_many"}).status_code == 200
    other = http.get("/open-apis/bot/v3/info").json()["code"]
    struck = http.get("/loft/birds")
    assert (struck.status_code, struck.json()) == (429, {"code": 7, "msg": "no bird is free"})
    assert http.get("/loft/birds").status_code == 200
    assert other == 99991661  # Feishu's own refusal of a call without a token
    http.post("/console/fault", json={"platform": "pigeons", "kind": "down"})
    with pytest.raises(httpx.RemoteProtocolError):
        http.get("/loft/birds")


def test_the_page_shows_it_beside_the_others(http: httpx.Client) -> None:
    before = shown(http)
    assert before["platforms"] == ["feishu", "wechatpay", "pigeons"]
    assert before["titles"]["pigeons"] == {"zh": "信鸽", "en": "Pigeon post"}
    assert (before["birds"], before["merchants"], before["chats"]) == (["Blue"], [], [])
    assert (before["books"]["pigeons"], before["books"]["wechatpay"]["complaint_count"]) == ({"count": 1}, 0)
    http.post("/console/release", json={"bird": "Blue"})
    after = shown(http)
    assert (after["birds"], after["books"]["pigeons"]) == ([], {"count": 0})
    assert http.get("/console/image/bird_1").content == PNG


def test_it_is_furnished_started_and_stopped_with_the_others() -> None:
    with Sandbox(platforms=[*PLATFORMS, Pigeons]) as sandbox:
        company = found(sandbox.platforms)
        assert (company.bird, company.operator.name, company.merchant.name) == ("Red", "陈晨", "云杉商城")
        pigeons = sandbox.platforms[-1]
        assert isinstance(pigeons, Pigeons)
        assert pigeons.running
    assert not pigeons.running


def test_it_can_be_alone() -> None:
    with Sandbox(platforms=[Pigeons]) as sandbox, httpx.Client(base_url=sandbox.url, trust_env=False) as http:
        world = shown(http)
        assert (world["platforms"], world["birds"]) == (["pigeons"], ["Blue"])
        assert [one["kind"] for one in world["fault_kinds"]] == ["too_many", "down", "lose"]
        assert http.get("/open-apis/bot/v3/info").status_code == 404
        assert http.post("/console/send", json={"text": "x"}).status_code == 404


class Namesake(Pigeons):
    prefixes = ("/barn",)


class Lodger(Pigeons):
    name = "lodger"
    prefixes = ("/loft/attic",)

    def actions(self) -> Mapping[str, Action[Any]]:
        return {}


class Rival(Pigeons):
    name = "rival"
    prefixes = ("/barn",)


class Clock(Pigeons):
    name = "clock"
    prefixes = ("/clock",)

    def actions(self) -> Mapping[str, Action[Any]]:
        return {"advance": Action(Release, self._release)}


class Port(Pigeons):
    name = "port"  # which a sandbox has already


@pytest.mark.parametrize(
    ("two", "words"),
    [
        ([Pigeons, Namesake], "'pigeons' is taken"),
        ([Port], "'port' is taken"),
        ([Pigeons, Lodger], "/loft/attic of lodger"),
        ([Lodger, Pigeons], "/loft of pigeons"),
        ([Pigeons, Rival], "'release' is given twice"),
        ([Clock], "'advance' is given twice"),
    ],
)
def test_what_is_given_twice_is_refused_at_the_start(two: list[type[Pigeons]], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Sandbox(platforms=two)
