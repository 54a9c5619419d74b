"""One person, a stranger or somebody without any key may make noise; the others hardly notice."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from sandbox.feishu.envelope import encode, encrypt
from sandbox.feishu.snapshot import readable
from tests.story.actors import Person, Said
from tests.story.pushes import Pusher
from tests.story.waiting import eventually
from tests.story.world import World

SLOW_DOWN = "你发得太快了"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """With the limits that a real deployment has."""
    world = World(tmp_path_factory.mktemp("limited") / "demo", "", MPOPS_TURNS__BURST="20", MPOPS_TURNS__SECONDS="2")
    world.begin()
    try:
        yield world
        world.end()
    finally:
        world.close()


def answered(said: list[Said], expected: int) -> list[str]:
    """The first answer to each: its words, "card", or "" for none; when all was worked off and so many had come."""

    def look() -> list[str]:
        found = [each.place.answers_to(each.message) for each in said]
        return [("card" if answers[0].is_card else readable(answers[0])) if answers else "" for answers in found]

    eventually(lambda: sum(map(bool, look())) >= expected, lambda: f"fewer than {expected} answers: {look()}")
    said[0].world.quiet(60)
    return look()


def test_somebody_who_types_without_end_is_told_once_and_then_left_out(world: World) -> None:
    found = answered([world.li.whispers("/我") for _ in range(40)], 21)
    # The bot's own clock goes on meanwhile, so one or two more may pass.
    assert found.count("card") in range(20, 30)
    assert sum(SLOW_DOWN in each for each in found) == 1
    assert "" in found
    assert world.wang.whispers("/我").card().title, "nobody else waits for that"
    world.advance(minutes=1)
    assert world.li.whispers("/我").card().title


def test_strangers_cannot_fill_a_group(world: World) -> None:
    strangers: list[Person] = [world.sun, *(world.hires(f"新人{number}") for number in range(3))]
    found = answered([who.says("/投诉") for _ in range(10) for who in strangers], 5)
    assert sum("还没有任何角色" in each for each in found) == 5
    assert sum(not each for each in found) == 35, "the rest is silence"
    assert world.chen.says("/投诉").card().title
    assert world.sun.whispers("/我").card().title, "in private they are heard still"


def test_clicks_without_end_are_not_even_stored(world: World) -> None:
    case = world.customer.complains()
    world.advance(minutes=2)
    card = case.card()
    toasts = [world.chen.clicks_as_it_was(card, "认领") for _ in range(40)]
    refused = [toast for toast in toasts if "点得太快了" in toast.words]
    assert len(refused) in range(10, 21)
    world.quiet()
    assert world.chen.name in case.card().plain, "the first one counted"
    stored = [line for line in world.bot_log() if line["event"] == "click.stored"]
    assert len(stored) <= 40 - len(refused)
    world.advance(minutes=1)
    assert not world.chen.clicks(case.card(), "释放").refused


def test_noise_without_a_key_is_written_down_in_part_and_keeps_nobody_out(world: World) -> None:
    app, url = world.feishu.app, f"{world.demo.bot_url}/feishu/events"
    challenge = encode(
        {"type": "url_verification", "challenge": "right", "token": app.verification_token}
    )  # proves itself by its token, unsigned
    sealed = encode({"encrypt": encrypt(app.encrypt_key, challenge, b"0" * 16)})
    with httpx.Client(trust_env=False, timeout=10) as client:
        assert client.post(url, content=sealed).json() == {"challenge": "right"}
        before = len([line for line in world.bot_log() if line["event"] == "feishu.refused"])
        for _ in range(300):
            assert client.post(url, content=b'{"encrypt": "AAAA"}').status_code == 401
        # It opens a crack now and then, so what carries no signature is read sometimes, and mostly not.
        assert 401 in [client.post(url, content=sealed).status_code for _ in range(10)]
        page = client.get(f"{world.demo.bot_url}/metrics").text
    written = [line for line in world.bot_log() if line["event"] == "feishu.refused"]
    assert 50 <= len(written) - before < 150
    counted = [line for line in page.splitlines() if line.startswith("mpops_refused_total{") and "feishu" in line]
    assert sum(float(line.split()[-1]) for line in counted) >= 301
    message, event = Pusher(world).message(world.wang, "/我")
    assert Pusher(world).feishu("im.message.receive_v1", event)[0].status_code == 200, "what carries one is"
    eventually(lambda: world.wang.private.answers_to(message), "no answer")
    eventually(lambda: httpx.post(url, content=sealed, trust_env=False).status_code == 200, "the door stays shut")


def test_noise_with_headers_of_the_channel(world: World) -> None:
    headers = {
        "Wechatpay-Timestamp": str(int(world.sandbox.world.clock.now().timestamp())), "Wechatpay-Nonce": "n",
        "Wechatpay-Signature": "AAAA", "Wechatpay-Serial": world.demo.company.merchant.platform_public_key_id,
    }  # fmt: skip
    with httpx.Client(trust_env=False, timeout=10) as client:
        for _ in range(300):
            answer = client.post(
                f"{world.demo.bot_url}/notify/pay-main", content=json.dumps({"id": "x"}), headers=headers
            )
            assert answer.status_code == 401
    written = [line for line in world.bot_log() if line["event"] == "notify.refused"]
    assert 50 <= len(written) < 150
    assert world.customer.complains("真的投诉").card().title, "a genuine one is heard"
