"""An area with one of everything is laid over a copy of the tree: it works, and nothing else had to know of it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from storage.migrate import newest
from tests.story.waiting import eventually
from tests.story.world import World
from tests.trees import present_tree

TOY = Path(__file__).parent / "toy"
# What an area consists of, and the line by which it is named: nothing but these was touched.
ADDED = {
    "handlers/toys/__init__.py", "handlers/toys/cards.py", "handlers/toys/apply_file_tables.py",
    "handlers/toys/permissions.py",
    "handlers/toys/service.py", "handlers/toys/texts/zh_cn.po", "handlers/toys/texts/en_us.po",
    "storage/areas/toys.py", "storage/migrations/versions/m0900_toys.py",
}  # fmt: skip
AREAS = re.compile(r'^AREAS = \(("\w+",?\s*)+', re.MULTILINE)  # in app.py: the one place that names the areas


def lay_over(folder: Path) -> Path:
    """A copy of the tree with the toy in it; its `app.py`."""
    present_tree(folder)
    for file in _files(TOY):
        target = folder / file
        assert not target.exists(), f"the toy replaces {file}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(TOY / file, target)
    joins = folder / "app.py"
    written, named = AREAS.subn(
        lambda found: f'{found[0].rstrip().rstrip(",")}, "toys"', joins.read_text(encoding="utf-8")
    )
    assert named == 1
    joins.write_text(written, encoding="utf-8")
    migration = folder / "storage/migrations/versions/m0900_toys.py"
    migration.write_text(migration.read_text(encoding="utf-8").replace("THE NEWEST", newest()), encoding="utf-8")
    return joins


def _files(folder: Path) -> set[str]:
    found = (each for each in folder.rglob("*") if each.is_file() and "__pycache__" not in each.parts)
    return {str(each.relative_to(folder)) for each in found}


def test_the_files_of_an_area_are_these() -> None:
    assert _files(TOY) == ADDED


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("toy")
    world = World(folder / "demo", "", app=lay_over(folder / "tree"))
    world.begin()
    yield world
    assert world.log.complaints() == []
    world.close()


def mpops(world: World, *words: str) -> str:
    app = world.demo._command
    ran = subprocess.run([*app, *words], env=world.demo.environment(), capture_output=True, text=True, check=False)
    return ran.stdout + ran.stderr


def toy_page(world: World, id: int) -> dict[str, object]:
    answer = httpx.get(f"{world.demo.bot_url}/toys/{id}", trust_env=False)
    found = answer.json()
    assert isinstance(found, dict)
    return found


@pytest.mark.timeout(180)
def test_one_story_of_everything_that_an_area_brings(world: World) -> None:
    chen, wang, zhao = world.chen, world.wang, world.zhao

    # A command with its permission, help, and a refusal with its usage.
    world.wang.says("/玩具 小熊").answer("送玩具")  # an approver makes none
    assert "/玩具 小熊" in chen.says("/玩具").answer("名字")
    help_card = chen.says("/帮助").card()
    assert "送客户一个玩具" in help_card.plain
    case = world.answered(by=chen)
    said = chen.says(f"/玩具 小熊 {case.number}")

    # Its card and a click.
    card = said.card()
    assert "小熊" in card.title
    assert not chen.clicks(card, "擦亮").refused
    eventually(lambda: "擦亮次数\n1" in card.latest().plain, lambda: card.latest().plain)

    # A section on the complaint's card, which also holds the complaint open.
    case.card().expect("已答应送玩具：小熊")
    assert "完结投诉" not in case.card().latest().buttons  # it stands there, and cannot be pressed

    # To do, look-up in the audit, a route and a gauge.
    chen.says("/待办")
    chen.private.expect_card("待办", "小熊")
    assert "做了玩具 T1" in zhao.says("/审计 T1").card().plain
    assert toy_page(world, 1)["name"] == "小熊"
    numbers = httpx.get(f"{world.demo.bot_url}/metrics", trust_env=False).text
    assert "mpops_toys_open 1.0" in numbers

    # A push of the channel, a schedule with its job, and a deadline.
    told = int(str(toy_page(world, 1)["told"]))
    world.customer.writes(case, "我的小熊呢？")
    eventually(lambda: int(str(toy_page(world, 1)["told"])) > told, "the toy never heard of the push")
    world.advance(minutes=2)
    eventually(lambda: int(str(toy_page(world, 1)["counted"])) > 0, "nobody counted the toys")
    world.advance(hours=1)
    world.group.expect_text("T1 还没有送出")

    # An action that needs approval.
    assert not chen.clicks(card, "送出").refused
    request = wang.private.expect_card("送出玩具：小熊")
    assert not wang.clicks(request, "同意").refused
    world.group.expect_text("T1 已送出")
    eventually(lambda: "已答应送玩具" not in case.card().latest().plain, lambda: case.card().latest().plain)
    case.card().expect_button("完结投诉")
    assert chen.clicks_as_it_was(card, "擦亮").refused

    # A table of the apply file, and a check of doctor.
    assert "toys: shelves: there are 0" in mpops(world, "doctor")
    file = world.demo.folder / "demo.toml"
    file.write_text(file.read_text(encoding="utf-8") + '\n[[toy_shelf]]\nname = "window"\n', encoding="utf-8")
    assert "+ toy_shelf window" in mpops(world, "apply", str(file))
    assert "Nothing to change" in mpops(world, "apply", str(file))
    assert "toys: shelves: there are 1" in mpops(world, "doctor")

    # A digest, somebody who leaves, and what is forgotten.
    hired = world.hires("何平", "operator")
    hired.says("/玩具 小狗").card()
    assert toy_page(world, 2)["maker"] is not None
    world.feishu.user_leaves(hired.open_id)
    eventually(lambda: toy_page(world, 2)["maker"] is None, "the toy still is of somebody who left")
    chen.says("/订阅 日报 09:00").answer("已订阅")
    world.advance(days=1)
    world.group.expect_card("日报", "玩具\n2")  # the hour at which this runs says whether it is the first one
    world.sandbox.world.clock.advance(timedelta(days=40))
    eventually(lambda: toy_page(world, 1)["name"] is None, "what was given long ago is still there", 60)
    assert toy_page(world, 2)["name"] == "小狗"
