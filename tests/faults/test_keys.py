"""Keys and tokens change in the middle of the path: nobody has to do anything, and nothing is lost or done twice."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from sandbox.wechatpay.merchants import KeyMode
from storage.database import Database
from storage.rotation import reseal, rotate, uses
from tests.faults.path import nudged, whole
from tests.faults.staff import Staff
from tests.faults.stage import Stage, wait_for

pytestmark = pytest.mark.timeout(300)


def test_feishus_token_is_revoked_again_and_again(tmp_path: Path, chance: random.Random) -> None:
    """Each refused call is made once more with a new token; each message still appears once."""
    with Stage(tmp_path / "stage") as stage:
        feishu = stage.sandbox.feishu
        revoked: list[int] = []

        def nudge() -> None:
            nudged(stage)()
            revoked.append(feishu.revoke_tokens())

        staff = Staff(stage.sandbox, stage.company, chance)
        ticket = staff.complaint()
        wait_for(lambda: staff.cards(ticket), 30, "the card")
        revoked.append(feishu.revoke_tokens())
        staff.complaint()
        secret = stage.environment()["MPOPS_SECRET_KEY"]
        database = Database(stage.database_url)
        database.unlock([secret])
        assert rotate(database, secret) == "k2", "and a new data key, for good measure"
        staff.work_off(120, nudge)
        assert reseal(database).kept == ("k1",), "the bot need not know the new one yet"
        revoked.append(feishu.revoke_tokens())
        feishu.user_sends(stage.company.operator.open_id, "oc_pay_complaints", "/帮助")
        wait_for(lambda: feishu.store.tokens, 30, "a new token after the last one was revoked")
        whole(stage, staff)
        assert sum(count > 0 for count in revoked) >= 2
        # What the bot wrote before it met a value of the new key is sealed with the old one: one more round.
        assert reseal(database).busy == 0
        assert [(use.id, use.values > 0, use.is_current) for use in uses(database)] == [
            ("k1", False, False),
            ("k2", True, True),
        ]
        database.close()
        log = (stage.folder / "bot.log").read_text()
        assert "99991663" in log, "the sandbox refused a call, so the repeat was needed"


def test_wechat_pay_signs_with_a_new_certificate_at_once(tmp_path: Path, chance: random.Random) -> None:
    """Not even listed for a day before, as the platform promises: answers and pushes come under an unknown serial."""
    with Stage(tmp_path / "stage") as stage:
        pay, merchant = stage.sandbox.wechatpay, stage.company.merchant
        merchant.mode, merchant.public_key_pair = KeyMode.CERTIFICATE, None
        file = stage.folder / "demo.toml"
        kept = [line for line in file.read_text().splitlines() if not line.startswith("platform_public_key")]
        file.write_text("\n".join(kept))
        applied = stage.cli("apply", str(file))
        assert applied.returncode == 0, applied.stderr
        staff = Staff(stage.sandbox, stage.company, chance)
        first = staff.complaint()
        wait_for(lambda: staff.cards(first) or nudged(stage)(), 60, "the card", every=0.6)
        new = pay.list_new_certificate()
        pay.sign_with_newest()
        assert pay.signing_certificate() is new
        staff.complaint()
        staff.work_off(150, nudged(stage))
        whole(stage, staff)
