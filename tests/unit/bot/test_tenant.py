"""The tenant whose events are taken: the first one, for all processes, for one app, until it is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import event

from bot.incoming.tenant import KnownTenant
from bot.settings import FeishuSettings, Settings
from handlers.cli.doctor_machine import examine_settings
from storage.backups.backup import backup, restore
from storage.core.tenants import Tenants
from storage.database import Database
from tests.databases import migrated_url
from tests.rows import NOW, SECRET

pytestmark = pytest.mark.both_databases


class Still:
    def now(self) -> datetime:
        return NOW


def known(database: Database, app_id: str = "cli_ours", seconds: list[float] | None = None) -> KnownTenant:
    """As another process has it; `seconds` is its own time."""
    at = seconds if seconds is not None else [0.0]
    return KnownTenant(database, app_id, Still(), lambda: at[0])


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    seen: list[str] = []

    def ran(connection: object, cursor: object, statement: str, *more: object) -> None:
        seen.append(statement)

    engines = {database.reader, database.writer}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", ran)
    yield seen
    for engine in engines:
        event.remove(engine, "before_cursor_execute", ran)


def test_b14_the_first_tenant_is_remembered_for_all_processes(database: Database) -> None:
    web, worker = known(database), known(database)
    assert web.takes("tk_ours")
    assert not web.takes("tk_other")
    assert not worker.takes("tk_other"), "also in a process that has seen no event yet"
    assert worker.takes("tk_ours")
    with database.read() as session:
        found = Tenants(session).of("cli_ours")
        assert found is not None
        assert (found.tenant_key, found.seen_at) == ("tk_ours", NOW)


def test_b14_an_event_costs_no_look_into_the_database(database: Database) -> None:
    seconds = [0.0]
    tenant = known(database, seconds=seconds)
    tenant.takes("tk_ours")
    with statements(database) as seen:
        for _ in range(50):
            assert tenant.takes("tk_ours")
            assert not tenant.takes("tk_other"), "nor does one that is refused"
        assert not tenant.takes("tk" * 200)
    assert [one for one in seen if "tenant" in one] == []


def test_b14_of_several_at_once_one_wins_and_all_agree(database: Database) -> None:
    processes = [known(database) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda each: each[1].takes(f"tk_{each[0]}"), enumerate(processes)))
    with database.read() as session:
        found = Tenants(session).of("cli_ours")
    assert found is not None
    for number, process in enumerate(processes):
        assert process.takes(found.tenant_key)
        assert process.takes(f"tk_{number}") is (found.tenant_key == f"tk_{number}")


def test_b14_another_app_begins_anew_and_the_one_before_is_not_forgotten(database: Database) -> None:
    assert known(database).takes("tk_ours")
    assert known(database, "cli_new").takes("tk_new")
    assert not known(database).takes("tk_new")
    assert known(database).takes("tk_ours")


def test_b14_what_is_forgotten_is_noticed_by_processes_that_run(database: Database) -> None:
    seconds = [0.0]
    tenant = known(database, seconds=seconds)
    assert tenant.takes("tk_wrong")
    with database.write() as session:
        assert Tenants(session).forget("cli_ours")
        assert not Tenants(session).forget("cli_ours")
    assert not tenant.takes("tk_ours")
    seconds[0] = 11.0
    assert tenant.takes("tk_ours")
    assert not tenant.takes("tk_wrong")


def test_b14_a_restored_backup_of_another_app_locks_nobody_out(database: Database, tmp_path: Path) -> None:
    assert known(database, "cli_then").takes("tk_then")
    backup(database, tmp_path / "backup", SECRET, NOW)
    fresh = Database(migrated_url("sqlite", tmp_path))
    fresh.unlock([SECRET])
    assert known(fresh).takes("tk_ours"), "a tenant is nothing that a restore would replace"
    restore(fresh, tmp_path / "backup", [SECRET], force=False, now=NOW, then=lambda session: None)
    assert known(fresh).takes("tk_ours")
    assert not known(fresh, "cli_then").takes("tk_ours")
    fresh.close()


def test_b14_doctor_tells_the_tenant_and_what_to_do_if_it_is_wrong(database: Database) -> None:
    settings = Settings(feishu=FeishuSettings(app_id="cli_ours"))

    def told() -> str:
        (found,) = (one for one in examine_settings(settings, {}, database) if one.check == "feishu tenant")
        assert found.ok
        return found.detail

    assert "not known yet" in told()
    known(database).takes("tk_ours")
    assert "only events of tk_ours are taken, as since 2026-03-02 04:30 UTC" in told()
    assert "mpops doctor --forget-tenant" in told()
