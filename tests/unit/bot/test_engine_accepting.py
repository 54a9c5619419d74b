"""A process that accepts work and leaves it to others. Apart from the running engine: there is one in a process."""

from __future__ import annotations

from pathlib import Path

import pytest
from dbos import DBOSClient, DBOSPortableJSONSerializer

from bot.jobs.engine import NAME, Engine
from storage.database import Database
from tests.databases import migrated_url
from tests.rows import SECRET

pytestmark = pytest.mark.both_databases


def waiting(database: Database) -> list[str]:
    client = DBOSClient(
        system_database_engine=database.system, serializer=DBOSPortableJSONSerializer(), application_name=NAME
    )
    found = [each.workflow_id for each in client.list_workflows(status="ENQUEUED")]
    client.destroy()
    return sorted(found)


def test_a_process_that_only_accepts_leaves_work_to_others_and_it_can_be_cleared(
    database_kind: str, tmp_path: Path
) -> None:
    database = Database(migrated_url(database_kind, tmp_path))
    database.unlock([SECRET])
    engine = Engine(database, "web-0")
    with pytest.raises(BaseException, match="not"), database.write() as session:
        engine.enqueue(session, "j", "too early", {})
    engine.migrate()
    engine.start(execute=False)
    assert not engine.running
    for number in range(3):
        with database.write() as session:
            engine.enqueue(session, "j", f"left-{number}", {"n": number})
    assert waiting(database) == ["left-0", "left-1", "left-2"]
    assert engine.clear() == 3
    assert waiting(database) == []
    engine.stop()
    database.close()
