"""The restore drill: the bot is lost half-way with its database, comes back, and does nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, make_url, text

from sandbox.faults import CallFault
from storage.areas.complaints import ComplaintFilter, Complaints
from storage.core.audit import Audit
from storage.database import Database
from tests.cli.running import Ran, mpops, settings
from tests.databases import migrated_url, postgres_url, sqlite_url
from tests.rows import SECRET, person
from tests.story.cards import Card
from tests.story.test_time import next_morning, noon
from tests.story.truth import Truth
from tests.story.waiting import eventually
from tests.story.world import World


@pytest.fixture
def world(database_kind: str, tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "demo", sqlite_url(tmp_path) if database_kind == "sqlite" else postgres_url())
    yield world
    world.close()


def run(world: World, *arguments: str | Path) -> Ran:
    return mpops(*arguments, env=world.demo.environment())


def lose_the_database(world: World) -> None:
    world.truth.close()
    url = make_url(world.demo.environment()["MPOPS_DATABASE_URL"])
    if url.get_backend_name() == "sqlite":
        for path in Path(str(url.database)).parent.glob(f"{Path(str(url.database)).name}*"):
            path.unlink()
        return
    engine = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(f'DROP DATABASE "{url.database}" WITH (FORCE)'))
        connection.execute(text(f'CREATE DATABASE "{url.database}"'))


def come_back(world: World) -> None:
    world.demo.restart()
    world.truth = Truth(world.demo)


@pytest.mark.both_databases
def test_the_drill(world: World, tmp_path: Path) -> None:
    file = tmp_path / "monday.backup"
    case = world.answered("您好，我们马上处理", phone="13812345678")
    world.asks_refund(case)
    world.approval(case, world.wang.private)
    late = world.claimed()
    # An answer is on its way to the customer, and the platform is down, while the backup is made.
    world.fault("wechatpay", CallFault.DOWN, "response", times=-1)
    world.chen.clicks(late.card(), "回复客户")
    world.chen.clicks(late.card(), "发送回复", reply="已为您登记")
    world.quiet()
    made = run(world, "backup", file)
    assert made.code == 0, made.said
    assert b"13812345678" not in file.read_bytes()

    # After the backup the day goes on: the answer arrives, and the money is paid back.
    world.mended()
    world.advance(seconds=40)
    eventually(lambda: list(late.replies) == ["已为您登记"], "no answer arrived")
    world.refunded(case)
    old_card = next(card for card in world.wang.private.cards("退款审批", case.order))
    assert len(case.refund_calls) == 1
    world.demo.kill()
    lose_the_database(world)

    restored = run(world, "restore", file)
    assert restored.code == 0, restored.said
    assert "The audit is whole" in restored.out
    database = Database(world.demo.environment()["MPOPS_DATABASE_URL"])
    database.unlock([world.demo.environment()["MPOPS_SECRET_KEY"]])
    with database.read() as session:
        found, total = Complaints(session).listed(ComplaintFilter(phone="13812345678"), offset=0, limit=5)
        assert (total, found[0].phone) == (1, "13812345678"), "what was sealed can be opened and found"
        assert Audit(session, database.vault.subkey("audit")).verify().broken_at is None
    database.close()

    # The bot comes back, a day old in its mind, and looks before it acts.
    come_back(world)
    card = world.approval(case, world.wang.private)
    assert card.message_id == old_card.message_id, "the card that stands there says again what is true here"
    assert not world.wang.clicks(card, "同意").refused
    case.card().expect("已退款")
    assert case.refunded_fen == 6800
    assert len(world.books().refunds) == 1, "the money was paid back once"
    world.quiet()
    late.card().expect("已回复", "已为您登记")
    assert list(late.replies) == ["已为您登记"], "the customer read it once"
    assert run(world, "audit", "verify").code == 0
    # New cards are posted: their numbers began anew, and Feishu must not take them for those of before.
    fresh = world.customer.complains("又一个投诉")
    assert fresh.card().title.startswith("投诉 C")


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_card_of_the_time_that_was_lost_moves_nothing(world: World, tmp_path: Path) -> None:
    file = tmp_path / "monday.backup"
    assert run(world, "backup", file).code == 0
    lost = world.customer.complains("备份之后的投诉")
    card, number = lost.card(), lost.number
    world.demo.kill()
    lose_the_database(world)
    assert run(world, "restore", file).code == 0
    come_back(world)
    # The poll may have found the lost complaint again by now: then that one has the number of before, else this one.
    world.customer.complains("恢复之后的投诉").card()

    def again() -> Card | None:
        cards = [each for each in world.group.cards(f"投诉 {number} ") if each.message_id != card.message_id]
        return cards[0] if cards else None

    other = eventually(again, "the number was not given away again, which is the danger")
    toast = world.chen.clicks_as_it_was(card, "认领")
    assert toast.refused
    assert other.latest().facts["处理人"] == "待认领"


def test_the_digest_tells_how_the_drill_went(world: World, tmp_path: Path) -> None:
    noon(world)
    world.customer.complains()
    file = tmp_path / "monday.backup"
    made = run(world, "backup", "--drill", file)
    assert (made.code, "is good" in made.out) == (0, True), made.said
    assert "可以完整恢复" in world.group.expect_card(f"日报 {next_morning(world)}").plain

    damaged = tmp_path / "damaged.backup"
    damaged.write_bytes(file.read_bytes()[:-3])
    assert run(world, "drill", damaged).code == 1
    card = world.group.expect_card(f"日报 {next_morning(world)}")
    assert "没有通过" in card.plain
    assert "可以完整恢复" not in card.plain
    assert "没有通过" in world.zhao.says("/状态").card().plain

    assert run(world, "drill", file).code == 0
    assert "可以完整恢复" in world.group.expect_card(f"日报 {next_morning(world)}").plain
    world.advance(days=40)
    assert "一个多月没有做过" in world.group.expect_card(f"日报 {next_morning(world)}").plain


def test_what_restore_refuses(tmp_path: Path) -> None:
    source, target = migrated_url("sqlite", tmp_path), migrated_url("sqlite", tmp_path)
    for url in (source, target):
        database = Database(url)
        database.unlock([SECRET])
        with database.write() as session:
            person(session)
        database.close()
    file = tmp_path / "a.backup"
    assert mpops("backup", file, env=settings(source)).code == 0

    again = mpops("backup", file, env=settings(source))
    assert (again.code, "never overwritten" in again.err) == (1, True)
    full = mpops("restore", file, env=settings(target))
    assert (full.code, "not empty" in full.err, "--force" in full.err) == (1, True, True)
    wrong = mpops("restore", file, "--force", env=settings(target, MPOPS_SECRET_KEY="quite another secret"))
    assert (wrong.code, "another secret key" in wrong.err) == (1, True)
    damaged = tmp_path / "damaged"
    damaged.write_bytes(file.read_bytes()[:-3])
    cut = mpops("restore", damaged, "--force", env=settings(target))
    assert (cut.code, "Nothing was changed" in cut.err) == (1, True)
    # What has nothing to do with it is not looked at: this is done when much is broken.
    forced = mpops("restore", file, "--force", env=settings(target, MPOPS_FEISHU__DOMAIN="nonsense.example"))
    assert (forced.code, "rows are back" in forced.out) == (0, True)
