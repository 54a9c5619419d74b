"""The apply file: read and checked as a whole, then made true, once, and undone where it is taken out again."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from bot.contributions.configuration import Change, Declared
from handlers.configuration.apply import apply as apply_with
from handlers.configuration.apply_file import ApplyError
from handlers.configuration.apply_file import read as read_with
from handlers.shared.durations import span
from storage.areas.configuration import Configuration
from storage.areas.digests import Subscriptions
from storage.areas.people import People
from storage.core.audit import Audit, entries
from storage.database import Database
from tests.house import all_areas
from tests.rows import NOW, person

DEMO = Path(__file__).resolve().parents[3] / "examples" / "demo.toml"
SMALL = """
[[account]]
key = "pay-main"
channel = "wechatpay"
merchant_id = "1900000109"
private_key = "file:keys/pay.pem"
api_v3_key = "env:PAY_V3_KEY"

[[program]]
key = "mall"
account = "pay-main"
name = "商城"
chat = "oc_pay"
owner = "ou_owner_of_mall"

[[role]]
person = "ou_operator_chen"
role = "operator"
scope = "mall"
name = "陈晨"

[[policy]]
action = "refund.create"
deadline = "4h"

[[subscription]]
chat = "oc_pay"
at = "09:00"
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def write(words: str) -> Path:
        (tmp_path / "company.toml").write_text(words, encoding="utf-8")
        return tmp_path / "company.toml"

    return write


Write = Callable[[str], Path]


def read(file: Path) -> Declared:
    return read_with(file, all_areas())


def apply(session: Session, declared: Declared, folder: Path, now: datetime, key: bytes) -> list[Change]:
    return apply_with(session, declared, folder, now, key, all_areas())


def make(database: Database, file: Path) -> list[str]:
    with database.write() as session:
        changes = apply(session, read(file), file.parent, NOW, database.vault.subkey("audit"))
    return [str(change) for change in changes]


def refusal(file: Path) -> str:
    with pytest.raises(ApplyError) as raised:
        read(file)
    return str(raised.value)


# --- reading -----------------------------------------------------------------------------------


def test_the_example_is_valid(database: Database) -> None:
    changes = make(database, DEMO)
    assert "+ account pay-main" in changes
    assert make(database, DEMO) == []


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (('channel = "wechatpay"', 'channel = "paypal"'), "account.1.channel"),
        (('key = "pay-main"\nchannel', 'key = "Pay Main"\nchannel'), "account.1.key"),
        (('merchant_id = "1900000109"', 'colour = "red"'), "unknown keys: colour"),
        (('account = "pay-main"', 'account = "pay-other"'), "there is no account 'pay-other'"),
        (('chat = "oc_pay"\nowner', 'chat = "pay"\nowner'), "program.1.chat"),
        (('owner = "ou_owner_of_mall"', 'owner = "zhao"'), "program.1.owner"),
        (('role = "operator"', 'role = "operater"'), "'operater' is not a role; known are admin"),
        (('scope = "mall"', 'scope = "mal"'), "there is no program 'mal'"),
        (('person = "ou_operator_chen"', 'person = "chen"'), "role.1.person"),
        (('action = "refund.create"', 'action = "refund.burn"'), "policy.1.action"),
        (('deadline = "4h"', 'deadline = "soon"'), "policy.1.deadline"),
        (('deadline = "4h"', 'deadline = "10s"'), "between 1m and 60d"),
        (('deadline = "4h"', 'deadline = "4h"\nquorum = 0'), "policy.1.quorum"),
        (('deadline = "4h"', 'deadline = "4h"\napprovers = "everybody"'), "policy.1.approvers"),
        (('at = "09:00"', 'at = "25:00"'), "subscription.1.at"),
        (("[[subscription]]", "[[subscriptions]]"), "subscriptions"),
        (('name = "商城"', 'name = "商城"\nname2 = "x"'), "program.1.name2"),
    ],
)
def test_each_mistake_is_told_with_its_place(write: Write, broken: tuple[str, str], told: str) -> None:
    assert broken[0] in SMALL
    words = refusal(write(SMALL.replace(*broken, 1)))
    assert "nothing was changed" in words
    assert told in words


@pytest.mark.parametrize(
    "table",
    [
        '[[program]]\nkey = "mall"\naccount = "pay-main"\nname = "x"\nchat = "oc_x"',
        '[[account]]\nkey = "pay-main"\nchannel = "wechatpay"',
        '[[policy]]\naction = "refund.create"',
        '[[subscription]]\nchat = "oc_pay"',
    ],
)
def test_what_is_declared_twice_is_told(write: Write, table: str) -> None:
    assert "declared twice" in refusal(write(f"{SMALL}\n{table}\n"))


def test_mistakes_of_every_kind_are_told_together_and_no_value_is_repeated(write: Write) -> None:
    words = (
        SMALL.replace('channel = "wechatpay"', 'channel = "hunter2-channel"')
        .replace('person = "ou_operator_chen"', 'person = "hunter2-person"')
        .replace('deadline = "4h"', 'deadline = "hunter2-deadline"')
        .replace('at = "09:00"', 'at = "hunter2-at"')
    )
    told = refusal(write(words))
    for place in ("account.1.channel", "role.1.person", "policy.1.deadline", "subscription.1.at"):
        assert place in told
    assert "hunter2" not in told


def test_references_that_lead_nowhere_are_all_told(write: Write) -> None:
    told = refusal(write(SMALL.replace('"pay-main"\nname', '"pay-x"\nname').replace('"operator"', '"boss"')))
    assert "pay-x" in told
    assert "boss" in told


@pytest.mark.parametrize("secret", ["api_v3_key", "private_key", "platform_public_key"])
def test_a_secret_that_stands_there_in_plain_is_refused_and_not_repeated(write: Write, secret: str) -> None:
    words = re.sub(rf'{secret} = ".*"\n', "", SMALL)
    told = refusal(write(words.replace("merchant_id", f'{secret} = "hunter2-in-plain"\nmerchant_id')))
    assert f"{secret} must be a reference, env:NAME or file:PATH" in told
    assert "hunter2" not in told


def test_all_plain_secrets_are_told_at_once(write: Write) -> None:
    told = refusal(write(SMALL.replace("env:PAY_V3_KEY", "hunter2").replace("file:keys/pay.pem", "hunter3")))
    assert "api_v3_key" in told
    assert "private_key" in told
    assert "hunter" not in told


def test_secrets_in_lists_are_looked_at_too(write: Write) -> None:
    listed = 'old_private_keys = ["file:keys/old.pem", "hunter2"]\nmerchant_id'
    told = refusal(write(SMALL.replace("merchant_id", listed, 1)))
    assert "old_private_keys" in told
    assert "hunter2" not in told


def test_what_is_no_toml_or_no_file(write: Write, tmp_path: Path) -> None:
    assert "not valid TOML" in refusal(write("[[account]\n"))
    assert "cannot be read" in refusal(tmp_path / "missing.toml")
    file = write("")
    file.write_bytes(b"\xff\xfe\x00")
    assert "not valid TOML" in refusal(file)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("90m", timedelta(minutes=90)), ("4h", timedelta(hours=4)), ("2d 12h", timedelta(hours=60)), ("1d2h3m4s",
     timedelta(days=1, hours=2, minutes=3, seconds=4)), (" 5 m ", timedelta(minutes=5))],
)  # fmt: skip
def test_spans(written: str, meant: timedelta) -> None:
    assert span(written) == meant


@pytest.mark.parametrize("written", ["", "4", "h", "4 hours", "-4h", "4h!", "4.5h", "４时"])
def test_what_is_no_span(written: str) -> None:
    with pytest.raises(ValueError, match="write it like"):
        span(written)


# --- making it true ----------------------------------------------------------------------------


def test_everything_is_made_once_and_told(database: Database, write: Write, tmp_path: Path) -> None:
    assert make(database, write(SMALL)) == [
        "+ account pay-main", "+ program mall", "+ chat oc_pay", "+ policy refund.create *",
        "+ role operator mall  (ou_ope…en)", "+ subscription oc_pay  (09:00)",
    ]  # fmt: skip
    assert make(database, write(SMALL)) == []
    with database.read() as session:
        account = Configuration(session).account("pay-main")
        assert account is not None
        assert account.settings == {
            "api_v3_key": "env:PAY_V3_KEY", "merchant_id": "1900000109",
            "private_key": f"file:{tmp_path / 'keys' / 'pay.pem'}",
        }, "references stay references, and paths lead somewhere from anywhere"  # fmt: skip
        (entry,) = entries(session, "setup", 9)
        assert (entry.event, entry.params) == ("setup.applied", {"changes": 6})
        assert Audit(session, database.vault.subkey("audit")).verify().broken_at is None


def test_a_change_is_told_by_its_fields_without_values(database: Database, write: Write) -> None:
    make(database, write(SMALL))
    words = (
        SMALL.replace('merchant_id = "1900000109"', 'merchant_id = "1900000110"')
        .replace("商城", "新商城").replace('"4h"', '"2h"\nquorum = 2').replace("09:00", "08:30")
    )  # fmt: skip
    assert make(database, write(words)) == [
        "~ account pay-main  (settings)", "~ program mall  (name)", "~ chat oc_pay  (name)",
        "~ policy refund.create *  (quorum, deadline_seconds)", "~ subscription oc_pay  (08:30)",
    ]  # fmt: skip
    with database.read() as session:
        policy = Configuration(session).policy("refund.create", "mall")
        assert policy is not None
        assert (policy.quorum, policy.deadline_seconds) == (2, 7200)


def test_what_is_taken_out_of_the_file_goes(database: Database, write: Write) -> None:
    make(database, write(SMALL))
    assert make(database, write("")) == [
        "- account pay-main", "- program mall", "- chat oc_pay", "- policy refund.create *",
        "- role operator mall  (ou_ope…en)", "- subscription oc_pay",
    ]  # fmt: skip
    with database.read() as session:
        assert Configuration(session).accounts() == []
        chen = People(session).by_open_id("ou_operator_chen")
        assert chen is not None
        assert (chen.roles, chen.name) == ([], "陈晨"), "the person stays: the audit speaks of them"


def test_a_dry_run_changes_nothing(database: Database, write: Write) -> None:
    file = write(SMALL)
    with database.write() as session:
        changes = apply(session, read(file), file.parent, NOW, b"k")
        session.rollback()
    assert len(changes) == 6
    with database.read() as session:
        assert Configuration(session).accounts() == []
        assert People(session).all() == []
        assert entries(session, None, 9) == []


def test_what_was_given_in_chat_stays(database: Database, write: Write) -> None:
    make(database, write(SMALL))
    with database.write() as session:
        people = People(session)
        chen = people.by_open_id("ou_operator_chen")
        assert chen is not None
        people.grant(chen, "viewer", "*", at=NOW, source="chat")
        Subscriptions(session).set("digest.daily", "oc_pay", 7, 15, at=NOW, source="chat")
    assert make(database, write(SMALL)) == []
    make(database, write(""))
    with database.read() as session:
        chen = People(session).by_open_id("ou_operator_chen")
        assert chen is not None
        assert [(held.role, held.source) for held in chen.roles] == [("viewer", "chat")]
        row = Subscriptions(session).get("digest.daily", "oc_pay")
        assert row is not None
        assert (row.hour, row.minute) == (7, 15)


def test_somebody_who_left_gets_nothing_back(database: Database, write: Write) -> None:
    make(database, write(SMALL))
    with database.write() as session:
        people = People(session)
        chen = people.by_open_id("ou_operator_chen")
        assert chen is not None
        people.leave(chen, NOW)
    (told,) = make(database, write(SMALL))
    assert "has left: not given" in told
    with database.read() as session:
        assert People(session).holding("operator", "mall") == []


def test_a_role_of_the_company_is_made_changed_and_taken_away(database: Database, write: Write) -> None:
    def words(permissions: str) -> str:
        return (
            SMALL.replace('role = "operator"', 'role = "night"')
            + f'\n[[custom_role]]\nname = "night"\npermissions = [{permissions}]\n'
        )

    assert "+ custom_role night" in make(database, write(words('"complaint.view"')))
    assert make(database, write(words('"complaint.view"'))) == []
    assert make(database, write(words('"complaint.view", "audit.read"'))) == ["~ custom_role night"]
    assert make(database, write(words('"audit.read", "complaint.view"'))) == []
    assert "- custom_role night" in make(database, write(SMALL))
    assert "custom_role.1.permissions" in refusal(write(words('"fly"')))
    taken = SMALL + '\n[[custom_role]]\nname = "admin"\npermissions = ["complaint.view"]\n'
    assert "that name is taken" in refusal(write(taken))


def test_a_failure_half_way_leaves_everything_as_it_was(database: Database, write: Write) -> None:
    make(database, write(SMALL))
    file = write("")

    def half_way(session: Session) -> None:
        apply(session, read(file), file.parent, NOW, b"k")
        raise RuntimeError

    def run() -> None:
        with database.write() as session:
            half_way(session)

    with pytest.raises(RuntimeError):
        run()
    with database.read() as session:
        assert [account.key for account in Configuration(session).accounts()] == ["pay-main"]


def test_a_person_who_wrote_to_the_bot_before_keeps_their_name_until_a_better_one_comes(
    database: Database, write: Write
) -> None:
    with database.write() as session:
        person(session, "ou_operator_chen", "陈晨晨")
    make(database, write(SMALL.replace('name = "陈晨"', "")))
    with database.read() as session:
        chen = People(session).by_open_id("ou_operator_chen")
        assert chen is not None
        assert chen.name == "陈晨晨"
    make(database, write(SMALL))


def test_how_a_change_reads() -> None:
    assert str(Change("~", "policy refund.create *", "quorum")) == "~ policy refund.create *  (quorum)"
    assert str(Change("+", "chat oc_a")) == "+ chat oc_a"


def test_every_wrong_permission_of_a_role_is_told_with_its_place(write: Write) -> None:
    role = '\n[[custom_role]]\nname = "night"\npermissions = ["complaint.view", "complaint.vieww", "audit.raed"]\n'
    told = refusal(write(SMALL + role))
    assert "custom_role.1.permissions.2: Input should be 'complaint.view'" in told
    assert "custom_role.1.permissions.3: Input should be" in told
    assert "vieww" not in told
