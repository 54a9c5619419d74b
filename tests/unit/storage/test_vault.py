"""Encryption at rest: what the vault opens, what it refuses, and what can be read from the database without it."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select, text

from storage.areas.complaints import Complaint, Complaints
from storage.areas.people import People, Person
from storage.column_types import UtcDateTime
from storage.core.audit import Audit
from storage.core.inbox import Inbox, InboxItem
from storage.core.schedule import ScheduleRun
from storage.database import Database
from storage.keys import DataKey, open_vault, secret_fingerprint
from storage.vault import Vault, VaultError, WrappedKey, new_wrapped_key, unwrap, wrap
from tests.databases import migrated_url
from tests.rows import NAME, NOW, OPEN_ID, OPENID, PHONE, SECRET, complaint, person

KEY = b"k" * 32


@pytest.fixture
def vault() -> Vault:
    return Vault({"k1": KEY}, "k1", b"i" * 32)


@given(st.text())
def test_what_is_sealed_opens_again(words: str) -> None:
    try:
        words.encode()
    except UnicodeEncodeError:
        return  # half of a surrogate pair is no text; what comes in is cleaned before
    vault = Vault({"k1": KEY}, "k1", b"i" * 32)
    sealed = vault.seal(words)
    assert vault.open(sealed) == words
    assert sealed.isascii()


def test_the_same_words_are_sealed_differently_and_indexed_alike(vault: Vault) -> None:
    assert vault.seal(PHONE) != vault.seal(PHONE)
    assert vault.index(PHONE) == vault.index(PHONE)
    assert vault.index(PHONE) != vault.index(PHONE + "0")
    assert PHONE not in vault.index(PHONE)
    assert Vault({"k1": KEY}, "k1", b"j" * 32).index(PHONE) != vault.index(PHONE), "without the key it tells nothing"


def test_subkeys_are_of_one_use_each(vault: Vault) -> None:
    keys = {vault.subkey("audit"), vault.subkey("clicks"), bytes.fromhex(vault.index("audit"))}
    assert len(keys) == 3
    assert vault.subkey("audit") == vault.subkey("audit")


def test_values_of_an_older_data_key_stay_readable_and_new_ones_use_the_newest(vault: Vault) -> None:
    old = vault.seal(PHONE)
    both = Vault({"k1": KEY, "k2": b"n" * 32}, "k2", b"i" * 32)
    assert both.open(old) == PHONE
    assert both.seal(PHONE).startswith("k2.")
    assert both.index(PHONE) == vault.index(PHONE), "look-ups go on"
    with pytest.raises(VaultError, match="'k2'"):
        vault.open(both.seal(PHONE))


def test_a_value_that_was_changed_or_put_under_another_key_does_not_open(vault: Vault) -> None:
    both = Vault({"k1": KEY, "k2": KEY}, "k1", b"i" * 32)
    sealed = both.seal(PHONE)
    end = "A" if sealed[-6] != "A" else "B"
    for changed in (sealed[:-6] + end + sealed[-5:], sealed.replace("k1.", "k2."), sealed[:-4], "k1.", "k1.AAAA"):
        with pytest.raises(VaultError):
            both.open(changed)
    with pytest.raises(VaultError, match="not in this database"):
        both.open(PHONE)


def test_a_wrapped_key_opens_with_its_secret_only() -> None:
    wrapped = new_wrapped_key("k1", SECRET)
    key, by_current = unwrap(wrapped, [SECRET])
    assert (len(key), by_current) == (32, True)
    assert unwrap(wrapped, ["a newer secret key", SECRET]) == (key, False)
    with pytest.raises(VaultError) as raised:
        unwrap(wrapped, ["another secret key"])
    assert "another secret" not in str(raised.value)
    with pytest.raises(VaultError):
        unwrap(WrappedKey("k2", wrapped.wrapped), [SECRET])  # one key put in the place of another
    again = wrap("k1", key, "a newer secret key")
    assert unwrap(again, ["a newer secret key"]) == (key, True)


def test_fingerprints_tell_secrets_apart_without_showing_them() -> None:
    assert secret_fingerprint(SECRET) == secret_fingerprint(SECRET)
    assert secret_fingerprint(SECRET) != secret_fingerprint(SECRET + "x")
    assert len(secret_fingerprint(SECRET)) == 8


# --- in a database --------------------------------------------------------------------------------


def again(database: Database, *secrets: str) -> Database:
    other = Database(database.url.render_as_string(hide_password=False))
    try:
        other.unlock(list(secrets))
    except VaultError:
        other.close()
        raise
    return other


def test_a_changed_secret_key_rewraps_the_keys_and_not_the_values(database: Database) -> None:
    with database.write() as session:
        person(session)
        sealed = session.scalar(text("SELECT name FROM person"))
    again(database, "the new secret key", SECRET).close()
    with pytest.raises(VaultError):
        again(database, SECRET)
    changed = again(database, "the new secret key")
    with changed.read() as session:
        assert session.scalar(text("SELECT name FROM person")) == sealed
        assert [row.name for row in People(session).all()] == [NAME]
        assert People(session).by_open_id(OPEN_ID) is not None
    changed.close()


def test_a_wrong_secret_key_changes_nothing(database: Database) -> None:
    with database.read() as session:
        before = session.execute(select(DataKey.id, DataKey.wrapped)).all()
    with pytest.raises(VaultError):
        again(database, "a wrong secret key")
    with database.read() as session:
        assert session.execute(select(DataKey.id, DataKey.wrapped)).all() == before


def test_a_new_data_key_seals_what_is_new_and_opens_what_is_old(database: Database) -> None:
    with database.write() as session:
        person(session, "ou_old", "Old")
    with database.exclusive() as connection:
        for number in (9, 10):  # the highest number counts, not the last letter
            fresh = new_wrapped_key(f"k{number}", SECRET)
            connection.execute(insert(DataKey).values(id=fresh.id, wrapped=fresh.wrapped))
    database.unlock([SECRET])
    with database.write() as session:
        person(session, "ou_new", "New")
    with database.read() as session:
        assert [name.partition(".")[0] for name in session.scalars(text("SELECT name FROM person ORDER BY id"))] == [
            "k1", "k10",
        ]  # fmt: skip
        assert [row.name for row in People(session).all()] == ["Old", "New"]
        assert People(session).by_open_id("ou_old") is not None


def test_an_open_database_that_was_not_unlocked_refuses_personal_data(database_kind: str, tmp_path: Path) -> None:
    database = Database(migrated_url(database_kind, tmp_path))
    with pytest.raises(Exception, match="not unlocked"), database.write() as session:
        person(session)
    with pytest.raises(RuntimeError, match="not unlocked"):
        _ = database.vault
    database.close()


def test_two_processes_that_open_an_empty_database_make_one_set_of_keys(database_kind: str, tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    url = migrated_url(database_kind, tmp_path)
    databases = [Database(url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda each: each.unlock([SECRET]), databases))
    assert len({each.vault.index("x") for each in databases}) == 1
    with databases[0].exclusive() as connection:
        assert open_vault(connection, [SECRET]).index("x") == databases[3].vault.index("x")
    for each in databases:
        each.close()


PERSONAL = (PHONE, OPENID, NAME, OPEN_ID, "杯子漏水", "退款理由", "a body with a name")


def _fill(database: Database) -> None:
    with database.write() as session:
        who = person(session)
        complaint(session, words="杯子漏水", problem="退款理由")
        Inbox(session).store(id="feishu:1", source="feishu", kind="im", body="a body with a name", at=NOW)
        Audit(session, database.vault.subkey("audit")).add(
            at=NOW, actor_id=who.id, event="x", subject="complaint:1", params={"reason": "退款理由", "who": NAME}
        )


def test_nothing_personal_stands_in_the_sqlite_file(tmp_path: Path) -> None:
    url = migrated_url("sqlite", tmp_path)
    database = Database(url)
    database.unlock([SECRET])
    _fill(database)
    files = list(tmp_path.glob("*.db*"))
    assert len(files) >= 2, "the log of the file is looked at too"
    raw = b"".join(file.read_bytes() for file in files)
    assert b"complaint" in raw
    for words in (*PERSONAL, SECRET):
        assert words.encode() not in raw, words
        assert words.encode("utf-16-le") not in raw
    database.close()


def test_nothing_personal_stands_in_any_column(database: Database) -> None:
    _fill(database)
    from storage.all_models import METADATA

    found = []
    with database.read() as session:
        for name in METADATA.tables:
            found += [str(value) for row in session.execute(text(f"SELECT * FROM {name}")) for value in row]
    everything = "\n".join(found)
    assert "200000020" in everything
    for words in PERSONAL:
        assert words not in everything, words


def test_look_up_by_phone_through_the_blind_index(database: Database) -> None:
    with database.write() as session:
        complaint(session, "a", phone=PHONE)
        complaint(session, "b", phone="13900000000")
    with database.read() as session:
        found = session.scalars(select(Complaint).where(Complaint.phone_index == PHONE)).all()
        assert [(row.external_id, row.phone) for row in found] == [("a", PHONE)]
        assert found[0].phone_index == database.vault.index(PHONE)
        assert Complaints(session).by_external("pay-main", "b") is not None


def test_a_column_that_was_changed_by_hand_does_not_open(database: Database) -> None:
    with database.write() as session:
        person(session, "ou_a", "A")
        person(session, "ou_b", "B")
        session.execute(text("UPDATE person SET name = 'plain text' WHERE id = 1"))
    with database.read() as session, pytest.raises(VaultError):
        session.get(Person, 1)


def test_sealed_json_comes_back_as_it_was(database: Database) -> None:
    from storage.core.effects import Effects

    request = {"words": "您好", "list": [1, None, True, {"x": "y"}]}
    with database.write() as session:
        Effects(session).begin("k", action="a", account_key="p", subject="s", request=request, at=NOW)
    with database.read() as session:
        effect = Effects(session).get("k")
        assert effect is not None
        assert effect.request == request
        assert "您好" not in str(session.scalar(text("SELECT request FROM effect")))


# --- time --------------------------------------------------------------------------------


def test_times_are_aware_utc_to_the_microsecond_on_both_databases(database: Database) -> None:
    beijing = datetime(2026, 3, 1, 2, 3, 4, 987654, tzinfo=timezone(timedelta(hours=8)))
    with database.write() as session:
        session.add(ScheduleRun(job="a", last_at=beijing))
    with database.read() as session:
        found = session.get_one(ScheduleRun, "a").last_at
        assert found == beijing
        assert found.tzinfo is UTC
        assert found.microsecond == 987654
        assert str(session.scalar(text("SELECT last_at FROM schedule_run"))).startswith("2026-02-28 18:03:04.987654")
        assert session.scalar(select(ScheduleRun.job).where(ScheduleRun.last_at <= beijing)) == "a"
        before = beijing - timedelta(microseconds=1)
        assert session.scalar(select(ScheduleRun.job).where(ScheduleRun.last_at <= before)) is None


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(Exception, match="naive datetime"), database.write() as session:
        session.add(ScheduleRun(job="a", last_at=datetime(2026, 1, 1)))
    assert UtcDateTime().process_bind_param(None, database.writer.dialect) is None


def test_the_file_is_an_ordinary_sqlite_file_in_wal_with_full_synchronisation(tmp_path: Path) -> None:
    url = migrated_url("sqlite", tmp_path)
    database = Database(url)
    with database.writer.connect() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA synchronous")) == 2
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1
    database.close()
    assert sqlite3.connect(database.url.database or "").execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_inbox_bodies_are_sealed(database: Database) -> None:
    with database.write() as session:
        Inbox(session).store(id="1", source="feishu", kind="im", body=PHONE, at=NOW)
    with database.read() as session:
        assert session.get_one(InboxItem, "1").body == PHONE
        assert PHONE not in str(session.scalar(text("SELECT body FROM inbox")))
