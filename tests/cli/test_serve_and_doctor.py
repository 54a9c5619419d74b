"""`mpops serve` and its three pages, and what `mpops doctor` says of a good set-up and of each bad one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sandbox.company import GROUP
from storage.database import Database
from tests.cli.running import Ran, mpops, settings
from tests.databases import migrated_url
from tests.rows import SECRET
from tests.story.world import World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A bot that runs in the small company; the tests of this module change nothing in its database."""
    world = World(tmp_path_factory.mktemp("world") / "demo", "")
    yield world
    world.close()


def page(world: World, path: str) -> httpx.Response:
    return httpx.get(world.demo.bot_url + path, trust_env=False, timeout=10)


def doctor(world: World, **changed: str) -> Ran:
    return mpops("doctor", env={**world.demo.environment(), **changed})


def findings(ran: Ran) -> dict[str, str]:
    """What was found wrong: check to the lines about it."""
    wrong: dict[str, str] = {}
    name = ""
    for line in ran.out.splitlines():
        if line.startswith("FAIL "):
            name = line[5:].split(": ")[1]
            wrong[name] = line
        elif line.startswith("       -> ") and name:
            wrong[name] += "\n" + line
        else:
            name = ""
    return wrong


def told(ran: Ran, check: str, *words: str) -> None:
    assert ran.code == 1, ran.out
    wrong = findings(ran)
    assert check in wrong, ran.out
    assert "->" in wrong[check], "and it says what to do"
    for word in words:
        assert word in wrong[check], wrong[check]
    assert SECRET not in ran.said


# --- serve ----------------------------------------------------------------------------------------------------


def test_up_and_ready(world: World) -> None:
    up = page(world, "/healthz")
    assert (up.status_code, up.json()) == (200, {"status": "up"})
    ready = page(world, "/readyz")
    assert (ready.status_code, ready.json()) == (
        200,
        {"status": "ready", "database": True, "engine": True, "schedule": True},
    )


def test_numbers_for_prometheus(world: World) -> None:
    world.customer.complains()
    httpx.post(world.demo.bot_url + "/feishu/events", content=b"{}", trust_env=False)
    httpx.post(world.demo.bot_url + "/notify/pay-main", content=b"{}", trust_env=False)
    answer = page(world, "/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    lines = answer.text.splitlines()
    assert any(line.startswith('mpops_received_total{fresh="yes",kind=') and "pay-main" in line for line in lines)
    for source in ("feishu", "pay-main"):
        refused = [line for line in lines if line.startswith("mpops_refused_total{") and f'source="{source}"}}' in line]
        assert sum(float(line.split()[-1]) for line in refused) >= 1
    for name in ("inbox_waiting", "inbox_oldest_seconds", "outbox_waiting", "outbox_oldest_seconds"):
        assert any(line.startswith(f"mpops_{name} ") for line in lines), name
    for personal in ("ou_", "oc_", "13"):
        assert not any(personal in line.split("{")[-1].split("}")[0] for line in lines if "{" in line)


def test_unknown_pages_and_methods_tell_nothing(world: World) -> None:
    for path, status in (("/", 404), ("/admin", 404), ("/feishu/events", 405), ("/healthz/../../etc/passwd", 404)):
        answer = page(world, path)
        assert answer.status_code == status
        assert set(answer.json()) == {"code", "msg"}


@pytest.mark.parametrize("command", ["serve", "audit verify"])
def test_with_another_secret_key_nothing_starts_and_nothing_changes(command: str, tmp_path: Path) -> None:
    url = migrated_url("sqlite", tmp_path)
    database = Database(url)
    database.unlock([SECRET])
    ran = mpops(*command.split(), env=settings(url, MPOPS_SECRET_KEY="another secret key entirely"))
    assert ran.code == 1
    assert "another secret key" in ran.err
    assert "MPOPS_PREVIOUS_SECRET_KEYS" in ran.err
    assert "another secret key entirely" not in ran.err
    database.unlock([SECRET])
    database.close()


def test_an_address_that_leads_to_no_database_is_told(tmp_path: Path) -> None:
    for url in ("postgresql://127.0.0.1:9/mpops", "nonsense"):
        ran = mpops("serve", env=settings(url, MPOPS_DATABASE_WAIT="1"))
        assert ran.code == 1
        assert "MPOPS_DATABASE_URL" in ran.err


# --- doctor ----------------------------------------------------------------------------------------------------


def test_doctor_finds_nothing_to_mend_in_a_good_set_up(world: World) -> None:
    ran = doctor(world)
    assert ran.code == 0, ran.out
    assert findings(ran) == {}
    assert "0 to mend" in ran.out
    for looked_at in (
        "setup: an administrator", "feishu: credentials", "feishu: scopes", "feishu: chats", "feishu: callback",
        "feishu: clock", "pay-main: signed_call", "pay-main: answer_signature", "pay-main: complaint_address",
    ):  # fmt: skip
        assert f"ok   {looked_at}: " in ran.out


def test_doctor_on_a_wrong_app_secret(world: World) -> None:
    told(doctor(world, MPOPS_FEISHU__APP_SECRET="wrong"), "credentials", "App Secret")


def test_doctor_on_a_missing_scope_and_a_chat_without_the_bot(world: World) -> None:
    app = world.feishu.app
    before = set(app.scopes)
    app.scopes -= {"contact:user.employee:readonly"}
    world.feishu.remove_bot(GROUP)
    try:
        ran = doctor(world)
    finally:
        app.scopes |= before
        world.feishu.add_bot(GROUP)
    told(ran, "scopes", "contact:user.employee:readonly", "whether somebody still works here", "publish a version")
    told(ran, "chats", GROUP, "Add the bot to these groups")
    assert set(findings(ran)) == {"scopes", "chats"}, "and the rest is well"


def test_doctor_on_a_wrong_merchant_key_and_serial(world: World, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    file = world.demo.folder / "keys" / "apiclient_key.pem"
    right = file.read_bytes()
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(other)
    try:
        ran = doctor(world)
    finally:
        file.write_bytes(right)
    told(ran, "signed_call", "must belong together")
    assert "BEGIN" not in ran.said


def test_doctor_on_a_secret_that_is_not_there(world: World) -> None:
    ran = mpops("doctor", env={k: v for k, v in world.demo.environment().items() if k != "SANDBOX_API_V3_KEY"})
    told(ran, "credentials", "SANDBOX_API_V3_KEY")


def test_doctor_on_a_wrong_callback_and_an_address_that_the_platform_does_not_push_to(world: World) -> None:
    elsewhere = world.demo.bot_url.replace("127.0.0.1", "localhost")  # the bot too, by another name
    ran = doctor(world, MPOPS_FEISHU__ENCRYPT_KEY="not the bot's", MPOPS_HTTP__PUBLIC_URL=elsewhere)
    told(ran, "callback", "encrypt key")
    told(ran, "complaint_address", f"{elsewhere}/notify/pay-main")


def test_doctor_on_a_database_without_any_set_up(world: World, tmp_path: Path) -> None:
    ran = doctor(world, MPOPS_DATABASE_URL=migrated_url("sqlite", tmp_path))
    told(ran, "accounts", "mpops apply")
    told(ran, "an administrator", "[[role]]")


def test_the_log_of_the_bot_is_json_and_holds_no_secret(world: World) -> None:
    lines = [line for line in (world.demo.folder / "bot.log").read_text().splitlines() if line.startswith("{")]
    assert lines
    for line in lines:
        assert {"event", "level", "timestamp"} <= set(json.loads(line))
    said = "\n".join(lines)
    for name, value in world.demo.environment().items():
        if name.startswith("MPOPS_") and name.endswith(("SECRET", "KEY", "TOKEN")):
            assert value not in said, name
