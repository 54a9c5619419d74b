"""What `mpops doctor` finds on this machine: each wrong thing is found, with what to do."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from bot.contributions.doctor import Finding
from bot.settings import FeishuSettings, Settings, unknown_variables
from handlers.cli import doctor_machine
from handlers.cli.doctor_machine import examine_database, examine_running, examine_settings
from storage.backups.history import MADE, PROVEN
from storage.core.audit import Audit
from storage.core.processes import Processes, ProcessIdentity
from storage.core.schedule import Schedules
from storage.database import Database
from storage.migrate import newest
from tests.databases import sqlite_url
from tests.rows import NOW, SECRET, company


def found(findings: Iterable[Finding]) -> dict[str, Finding]:
    return {finding.check: finding for finding in findings}


def wrong(findings: Iterable[Finding]) -> list[str]:
    bad = [finding for finding in findings if not finding.ok]
    assert all(finding.remedy for finding in bad), "each says what to do"
    return [finding.check for finding in bad]


@pytest.fixture
def closed(database: Database) -> Database:
    """The database as a new process finds it."""
    return Database(database.url.render_as_string(hide_password=False))


def test_a_good_database(closed: Database) -> None:
    findings = found(examine_database(closed, [SECRET]))
    # The PostgreSQL of the tests does not write through to the disk, and that is what is said of it.
    assert wrong(findings.values()) == ([] if closed.is_sqlite else ["durable"])
    assert findings["schema"].detail == f"{newest()}; this version has {newest()}"
    assert findings["durable"].detail == (
        "journal wal, synchronous 2" if closed.is_sqlite else "fsync off, synchronous_commit on"
    )
    assert closed.vault is not None, "and it is open now"
    closed.close()


def test_another_secret_key(closed: Database) -> None:
    findings = found(examine_database(closed, ["some other secret key"]))
    assert "secret key" in wrong(findings.values())
    assert "MPOPS_PREVIOUS_SECRET_KEYS" in findings["secret key"].remedy
    assert "some other" not in findings["secret key"].detail
    closed.close()


@pytest.mark.parametrize(("revision", "remedy"), [("0001", "mpops migrate"), ("from_the_future", "newer version")])
def test_another_schema_is_told_and_left_alone(
    database: Database, closed: Database, revision: str, remedy: str
) -> None:
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
    findings = found(examine_database(closed, [SECRET]))
    assert remedy in findings["schema"].remedy
    assert "secret key" not in findings, "what rests on it is not looked at"
    with database.read() as session:
        assert session.scalar(text("SELECT version_num FROM alembic_version")) == revision
    closed.close()


def test_no_database_and_a_damaged_one(tmp_path: Path) -> None:
    nowhere = Database("postgresql://127.0.0.1:9/mpops")
    assert "MPOPS_DATABASE_URL" in found(examine_database(nowhere, [SECRET]))["reach"].remedy
    nowhere.close()
    url = sqlite_url(tmp_path)
    Path(str(make_url(url).database)).write_bytes(b"no database at all" * 100)
    damaged = Database(url)
    assert "restore" in found(examine_database(damaged, [SECRET]))["reach"].remedy
    damaged.close()


def test_a_disk_that_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(sqlite_url(tmp_path))
    monkeypatch.setattr(doctor_machine, "ENOUGH", 10**18)
    assert "make room" in found(examine_database(database, [SECRET]))["disk"].remedy
    database.close()


def test_variables_that_mean_nothing(database: Database) -> None:
    with database.write() as session:
        company(session)
        session.execute(text('UPDATE account SET settings = \'{"api_v3_key": "env:MPOPS_PAY_KEY"}\''))
    environment = {
        "MPOPS_DATABASE_URL": "x", "MPOPS_FEISHU__APP_ID": "x", "MPOPS_CONFIG": "x", "MPOPS_PAY_KEY": "x", "HOME": "x",
        "MPOPS_LOGLEVEL": "x", "MPOPS_HTTP__PROT": "x", "MPOPS_WEATHER": "x",
    }  # fmt: skip
    findings = found(examine_settings(Settings(), environment, database))
    assert wrong(findings.values()) == ["variables"]
    told = findings["variables"].detail
    assert "MPOPS_LOGLEVEL (did you mean MPOPS_LOG_LEVEL?)" in told
    assert "MPOPS_HTTP__PROT (did you mean MPOPS_HTTP__PORT?)" in told
    assert "MPOPS_WEATHER" in told
    assert "MPOPS_PAY_KEY" not in told, "that one is of an account"
    assert unknown_variables({"MPOPS_HTTP__PORT": "1", "mpops_zone": "x"}) == []


def test_time_zones_and_addresses(database: Database) -> None:
    with database.write() as session:
        company(session)
        session.execute(text("UPDATE chat SET zone = 'Asia/Shanghay'"))
    settings = Settings(zone="Mars/Olympus")
    findings = found(examine_settings(settings, {}, database))
    assert "chat 支付投诉群: Asia/Shanghay" in findings["time zones"].detail
    assert "MPOPS_ZONE: Mars/Olympus" in findings["time zones"].detail
    plain = settings.model_copy(update={"http": settings.http.model_copy(update={"public_url": "http://ops.example"})})
    assert not found(examine_settings(plain, {}, database))["public address"].ok


class Still:
    def now(self) -> datetime:
        return NOW


def test_processes_schedule_and_backup(database: Database) -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)

    def look() -> dict[str, Finding]:
        return found(examine_running(database, Still(), lambda: now))

    assert wrong(look().values()) == ["processes", "schedule"]
    assert look()["backup"].ok, "a day-old deployment has none yet"
    worker = ProcessIdentity("worker-1", "worker", "a")
    with database.write() as session:
        Processes(session).seen(worker, now - timedelta(minutes=2), ticked=True)
        Audit(session, b"k" * 32).add(
            at=NOW - timedelta(days=3), actor_id=None, event="chat.lost", subject="chat:1", params={}
        )
    assert wrong(look().values()) == ["processes", "silent processes", "schedule", "backup"]
    assert "worker-1 (worker)" in look()["silent processes"].detail
    with database.write() as session:
        Processes(session).seen(worker, now - timedelta(seconds=5), ticked=True)
        Schedules(session).ran(MADE, NOW - timedelta(hours=30))
    assert wrong(look().values()) == []
    assert look()["backup drill"].detail == "none was ever proven to restore"
    with database.write() as session:
        Schedules(session).ran(PROVEN, NOW - timedelta(days=40))
    assert wrong(look().values()) == ["backup drill"]
    with database.write() as session:
        Schedules(session).ran(PROVEN, NOW - timedelta(days=6))
    assert wrong(look().values()) == []
    assert look()["backup"].detail == "1.2 days old"
    with database.write() as session:
        Processes(session).stopped(worker, now)
    assert wrong(look().values()) == ["processes"], "stopped on purpose is not silent"


def test_feishus_previous_keys_are_told_while_they_are_set(database: Database) -> None:
    def look(**feishu: str) -> dict[str, Finding]:
        return found(examine_settings(Settings(feishu=FeishuSettings.model_validate(feishu)), {}, database))

    assert wrong(look(encrypt_key="new", verification_token="new").values()) == []
    both = look(
        encrypt_key="new", encrypt_key_previous="words", verification_token="new", verification_token_previous="words"
    )
    assert wrong(both.values()) == ["feishu encrypt key", "feishu verification token"]
    assert "remove MPOPS_FEISHU__ENCRYPT_KEY_PREVIOUS" in both["feishu encrypt key"].remedy
    assert "words" not in str(both)
    assert "no effect" in look(encrypt_key_previous="words")["feishu encrypt key"].detail
