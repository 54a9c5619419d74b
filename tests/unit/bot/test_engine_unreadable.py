"""Rows of the engine that somebody else has written: nothing in them is run, and each of them fails alone."""

from __future__ import annotations

import base64
import json
import pickle
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from dbos import DBOS, DBOSClient
from dbos._schemas.system_database import SystemSchema
from sqlalchemy import text
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from bot.jobs.engine import CARDS, NAME, Engine, Payload
from bot.jobs.serialization import Unpicklable, serializer
from storage.core.schedule import Schedules
from storage.database import Database
from tests.databases import migrated_url
from tests.rows import SECRET
from tests.story.waiting import eventually

pytestmark = pytest.mark.both_databases


class Touch:
    """Makes a file wherever it is unpickled."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self._file,))


class House:
    """One engine on one database, and a book of the jobs it did."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.engine = Engine(database, "test-0")
        self.done: list[str] = []
        self.file = folder / "made by a job"
        self.engine.register("write", self._write)
        self.engine.migrate()

    def _write(self, payload: Payload) -> None:
        self.done.append(payload["id"])

    @property
    def bomb(self) -> str:
        return base64.b64encode(pickle.dumps(Touch(self.file))).decode()

    def table(self, name: str) -> str:
        return name if self.database.is_sqlite else f"dbos.{name}"

    def hand_over(self, id: str, *, partition: str | None = None, **columns: str) -> None:
        """A job; `columns` are what somebody else then writes into its row."""
        queue = {} if partition is None else {"queue": CARDS, "partition": partition}
        with self.database.write() as session:
            self.engine.enqueue(session, "write", id, {"id": id}, **queue)
            for column, value in columns.items():
                place = self.table("workflow_input" if column == "inputs" else "workflow_status")
                query = f"UPDATE {place} SET {column} = :value WHERE workflow_uuid = :id"
                session.execute(text(query), {"value": value, "id": id})

    def insert(self, name: str, within: Session | None = None, **values: object) -> None:
        columns = ", ".join(f'"{column}"' for column in values)
        places = ", ".join(f":{column}" for column in values)
        with self.database.write() if within is None else nullcontext(within) as session:
            session.execute(text(f"INSERT INTO {self.table(name)} ({columns}) VALUES ({places})"), values)

    def row(self, id: str) -> tuple[str, str]:
        query = (
            f"SELECT status, coalesce(outcome.error, job.error) FROM {self.table('workflow_status')} job"
            f" LEFT JOIN {self.table('workflow_output')} outcome USING (workflow_uuid) WHERE workflow_uuid = :id"
        )
        with self.database.read() as session:
            found = session.execute(text(query), {"id": id}).one()
        return str(found[0]), str(found[1])

    def failed(self, id: str) -> None:
        eventually(lambda: self.row(id)[0] == "ERROR", lambda: f"{id} is {self.row(id)}")


@pytest.fixture
def house(database_kind: str, tmp_path: Path) -> Iterator[House]:
    database = Database(migrated_url(database_kind, tmp_path))
    database.unlock([SECRET])
    house = House(database, tmp_path)
    yield house
    house.engine.stop()
    database.close()


def test_b1_a_waiting_row_that_says_it_is_pickled_runs_nothing_and_fails_alone(
    house: House,
) -> None:
    house.engine.start(execute=True)
    with capture_logs() as logs:
        house.hand_over("bomb", inputs=house.bomb, serialization="py_pickle")
        house.hand_over("bomb on a card", partition="oc_1", inputs=house.bomb, serialization="py_pickle")
        house.hand_over("after", partition="oc_1")
        house.hand_over("other")
        house.failed("bomb")
        house.failed("bomb on a card")
        eventually(lambda: sorted(house.done) == ["after", "other"], lambda: f"{house.done}")
    assert not house.file.exists()
    assert json.loads(house.row("bomb")[1])["name"] == "Unpicklable", "what is written is no pickle either"
    told = [(line["id"], line["error"]) for line in logs if line["event"] == "engine.unreadable"]
    assert sorted(told) == [("bomb", "Unpicklable"), ("bomb on a card", "Unpicklable")]


@pytest.mark.parametrize(
    ("inputs", "serialization"),
    [
        ("no JSON", "portable_json"),
        ("[1]", "portable_json"),
        ('{"positionalArgs": 5}', "portable_json"),
        ('{"positionalArgs": [], "namedArgs": {}}', "some_other_form"),
        ("gASVBAAAAAAAAACMAWGULg==", "custom_serializer"),
    ],
)
def test_b1_a_row_that_cannot_be_read_fails_once_and_for_good(house: House, inputs: str, serialization: str) -> None:
    house.engine.start(execute=True)
    house.hand_over("odd", inputs=inputs, serialization=serialization)
    house.hand_over("other")
    house.failed("odd")
    eventually(lambda: house.done == ["other"], lambda: f"{house.done}")


def test_b1_what_a_dead_process_left_pickled_is_not_run_by_the_next_one(house: House) -> None:
    house.engine.start(execute=False)
    for id, executor in (("of our own", "test-0"), ("of another", "gone-1")):
        house.hand_over(
            id, inputs=house.bomb, output=house.bomb, error=house.bomb, serialization="py_pickle",
            status="PENDING", executor_id=executor,
        )  # fmt: skip
    with house.database.write() as session:
        Schedules(session).beat("gone-1", datetime.now(UTC) - timedelta(minutes=5))
    house.engine.stop()
    house.engine = Engine(house.database, "test-0")
    house.engine.register("write", house._write)
    house.engine.start(execute=True)
    assert house.engine.rescue() == 1
    house.hand_over("other")
    house.failed("of our own")
    house.failed("of another")
    eventually(lambda: house.done == ["other"], lambda: f"{house.done}")
    assert house.engine.forget(datetime.now(UTC) + timedelta(hours=1)) >= 2, "and such rows can be swept away"
    assert not house.file.exists()


def test_b1_no_column_of_the_engine_is_unpickled(house: House) -> None:
    """Results, errors, steps, events, streams: asked for by their own names."""
    house.engine.start(execute=False)
    for id, column, status in (("good", "output", "SUCCESS"), ("bad", "error", "ERROR")):
        house.hand_over(id, serialization="py_pickle", inputs=house.bomb, status=status, **{column: house.bomb})
    form = {"workflow_uuid": "good", "serialization": "py_pickle"}
    house.insert(
        "operation_outputs", function_id=1, function_name="f", output=house.bomb, error=house.bomb,
        retention_timestamp=0, **form,
    )  # fmt: skip
    house.insert("workflow_events", key="k", value=house.bomb, **form)
    house.insert("workflow_events_history", key="k", value=house.bomb, function_id=1, **form)
    house.insert("streams", key="k", value=house.bomb, offset=0, function_id=1, **form)
    client = DBOSClient(
        system_database_engine=house.database.system, serializer=serializer(), application_name=NAME, lazy=True
    )
    try:
        assert len(client.list_workflows()) == 2
        assert client.list_workflow_steps("good")
        for asked in (
            client.retrieve_workflow("good").get_result,
            client.retrieve_workflow("bad").get_result,
            lambda: client.get_event("good", "k", 1),
            lambda: client._sys_db.get_all_events("good"),
            lambda: list(client.read_stream("good", "k", timeout_seconds=1)),
        ):
            with pytest.raises(Unpicklable):
                asked()
    finally:
        client.destroy()
    assert not house.file.exists()


def test_b1_a_pickled_message_or_step_stops_only_the_job_that_meets_it(house: House) -> None:
    met: list[str] = []

    def meet(payload: Payload) -> None:
        try:
            if payload["id"] == "message":
                DBOS.recv(timeout_seconds=5)
            else:
                DBOS.run_step({"name": "step"}, lambda: met.append("made anew"))
        except Unpicklable:
            met.append(payload["id"])

    house.engine.register("meet", meet)
    house.engine.start(execute=True)
    with house.database.write() as session:
        for id in ("message", "step"):
            house.engine.enqueue(session, "meet", id, {"id": id})
        house.insert(
            "notifications", session, destination_uuid="message", topic="__null__topic__", message=house.bomb,
            message_uuid="m", created_at_epoch_ms=1, serialization="py_pickle",
        )  # fmt: skip
        house.insert(
            "operation_outputs", session, workflow_uuid="step", function_id=1, function_name="step", output=house.bomb,
            retention_timestamp=0, serialization="py_pickle",
        )  # fmt: skip
    house.hand_over("other")
    eventually(lambda: sorted(met) == ["message", "step"], lambda: f"{met}")
    eventually(lambda: house.done == ["other"], lambda: f"{house.done}")
    assert not house.file.exists()


def test_b1_a_schedule_in_the_engines_table_starts_nothing(house: House) -> None:
    house.insert(
        "workflow_schedules", schedule_id="s", schedule_name="s", workflow_name="mpops.job", schedule="* * * * * *",
        context=house.bomb, status="ACTIVE", automatic_backfill=True, last_fired_at="2020-01-01T00:00:00+00:00",
    )  # fmt: skip
    house.engine.start(execute=True)
    house.hand_over("other")
    eventually(lambda: house.done == ["other"], lambda: f"{house.done}")
    with house.database.read() as session:
        query = f"SELECT count(*) FROM {house.table('workflow_status')} WHERE workflow_uuid LIKE 'sched-%'"
        assert session.scalar(text(query)) == 0
    assert not house.file.exists()


def test_b1_these_are_all_the_columns_that_a_form_is_named_for(database_kind: str) -> None:
    """A version of DBOS that reads more than the tests above have tried has to be looked at."""
    named = {table.name for table in SystemSchema.metadata_obj.sorted_tables if "serialization" in table.columns}
    assert named == {
        "workflow_status", "operation_outputs", "notifications", "workflow_events", "workflow_events_history", "streams"
    }  # fmt: skip
