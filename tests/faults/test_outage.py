"""The platforms fail: down for an hour, throttling, slow, half-answering; pushes come twice, late and out of order."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.company import GROUP
from sandbox.faults import CallFault, Fault, PushFault
from tests.faults.path import nudged, run, settle, whole
from tests.faults.staff import Staff
from tests.faults.stage import Stage, jump, wait_for

pytestmark = pytest.mark.timeout(420)  # processes start and stop; a busy machine takes its time


def test_feishu_is_down_for_an_hour_and_then_throttles(tmp_path: Path, chance: random.Random) -> None:
    """Cards and sentences written meanwhile are posted afterwards: once each, in order, with what is true by then."""
    with Stage(tmp_path / "stage") as stage:
        world, feishu = stage.sandbox.world, stage.sandbox.feishu
        staff = Staff(stage.sandbox, stage.company, chance)
        first = staff.complaint()
        wait_for(lambda: staff.cards(first), 30, "the card")
        assert settle(stage) == []
        down = world.faults.add(Fault("feishu", CallFault.DOWN, times=-1))
        second = staff.complaint()
        feishu.user_sends(stage.company.operator.open_id, GROUP, "/帮助")
        wait_for(lambda: down.struck > 1, 30, "calls to Feishu")
        for _ in range(6):
            world.clock.advance(timedelta(minutes=11))
            wait_for(stage.ready, 20, "the bot to stay ready")
        world.faults.clear("feishu")
        world.faults.add(Fault("feishu", CallFault.TOO_MANY, times=8))
        staff.work_off(240, nudged(stage))
        whole(stage, staff)
        assert len(staff.cards(second, title="投诉 C")) == 1


def test_calls_fail_in_every_way_on_the_path(tmp_path: Path, chance: random.Random) -> None:
    kinds = (
        CallFault.DROP_ANSWER,
        CallFault.SERVER_ERROR,
        CallFault.ERROR_AFTER,
        CallFault.DOWN,
        CallFault.TOO_MANY,
        CallFault.BAD_SIGNATURE,
        CallFault.LATE,
    )
    paths = ("/response", "/refund/domestic/refunds", "/complete", "/negotiation-historys", "/complaints-v2/")
    with Stage(tmp_path / "stage") as stage:
        for kind in kinds:
            for path in chance.sample(paths, 3):
                seconds = 1.5 if kind is CallFault.LATE else 0.0
                stage.sandbox.world.faults.add(Fault("wechatpay", kind, path, seconds=seconds))
        for kind in (CallFault.DROP_ANSWER, CallFault.ERROR_AFTER, CallFault.SERVER_ERROR, CallFault.TOO_MANY):
            stage.sandbox.world.faults.add(Fault("feishu", kind, "/im/v1/messages", method="POST", times=2))
            stage.sandbox.world.faults.add(Fault("feishu", kind, "/im/v1/messages", method="PATCH"))
        staff = run(stage, chance, complaints=2)
        stage.sandbox.world.faults.clear()
        whole(stage, staff)


def test_pushes_come_twice_late_lost_and_out_of_order_while_clocks_jump(tmp_path: Path, chance: random.Random) -> None:
    with Stage(tmp_path / "stage") as stage:
        world = stage.sandbox.world
        for platform in ("wechatpay", "feishu"):
            for kind in (PushFault.REPEAT, PushFault.REORDER, PushFault.DELAY, PushFault.TAMPER, PushFault.LOSE):
                world.faults.add(Fault(platform, kind, times=2, seconds=5.0))
        staff = Staff(stage.sandbox, stage.company, chance)
        for _ in range(2):
            staff.complaint()

        def nudge() -> None:
            jump(stage, chance)
            # What no push told is found by the poll every five minutes.
            world.clock.advance(timedelta(minutes=3))

        staff.work_off(240, nudge)
        world.faults.clear()
        whole(stage, staff)
        world.clock.advance(timedelta(hours=-2))
        assert settle(stage) == []
        world.clock.advance(timedelta(hours=2))
        assert settle(stage) == []
