"""Queues that sleep are woken by what is committed here, by the ends of jobs, and by nothing that was lost."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from dbos._core import ActiveWorkflowById

from bot.jobs.engine import BULK, CARDS, INTERACTIVE, PLANS, Engine, Payload, channel_queue
from bot.jobs.wakeups import Wakeups
from storage.database import Database
from tests.databases import migrated_url
from tests.rows import SECRET
from tests.story.waiting import eventually

LONG = 50.0  # seconds; nothing here may have to wait for a look by itself
SOON = 5.0


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Database]]:
    database = Database(migrated_url("sqlite", tmp_path_factory.mktemp("wakeups")))
    database.unlock([SECRET])
    engine = Engine(database, "test-0", poll=LONG)
    engine.start(execute=True)
    # The threads of the queues are there, and asleep.
    eventually(lambda: sum(one.name.startswith("queue-worker-") for one in threading.enumerate()) >= 4, "no queues")
    yield engine, database
    began = time.monotonic()
    engine.stop()
    assert time.monotonic() - began < 8, "who sleeps sees the end"
    database.close()


_names = itertools.count()


def registered(engine: Engine, work: Callable[[Payload], None]) -> str:
    name = f"job-{next(_names)}"
    engine.register(name, work)
    return name


@pytest.mark.parametrize("queue", [INTERACTIVE, CARDS, BULK])
def test_what_is_committed_is_begun_at_once(running: tuple[Engine, Database], queue: str) -> None:
    engine, database = running
    done: list[str] = []
    name = registered(engine, lambda payload: done.append(payload["id"]))
    with database.write() as session:
        engine.enqueue(session, name, f"{name}-1", {"id": "1"}, queue=queue, partition="a" if queue == CARDS else None)
        time.sleep(0.3)
        assert done == [], "nothing is begun before it is committed"
    eventually(lambda: done == ["1"], lambda: f"done: {done}", SOON)


def test_what_a_savepoint_holds_is_begun_when_all_is_committed(running: tuple[Engine, Database]) -> None:
    engine, database = running
    done: list[str] = []
    name = registered(engine, lambda payload: done.append(payload["id"]))
    with database.write() as session:
        with session.begin_nested():
            engine.enqueue(session, name, f"{name}-inner", {"id": "inner"})
        time.sleep(0.3)
        assert done == []
    eventually(lambda: done == ["inner"], lambda: f"done: {done}", SOON)


def test_the_end_of_a_job_lets_the_next_of_its_partition_begin(running: tuple[Engine, Database]) -> None:
    engine, database = running
    done: list[int] = []
    name = registered(engine, lambda payload: done.append(payload["n"]))
    with database.write() as session:
        for number in range(8):
            engine.enqueue(session, name, f"{name}-{number}", {"n": number}, queue=CARDS, partition="one at a time")
    eventually(lambda: done == list(range(8)), lambda: f"done: {done}", SOON)


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.15])
@pytest.mark.parametrize("queue", [INTERACTIVE, channel_queue("wechatpay"), BULK])
def test_more_jobs_than_places_are_begun_as_places_get_free(
    running: tuple[Engine, Database], queue: str, seconds: float
) -> None:
    """Who waits is claimed when others end, also when several end at once; and never more than there are places."""
    engine, database = running
    plan, lock = PLANS[queue], threading.Lock()
    done: list[int] = []
    busy: list[int] = [0, 0]  # now, and at the most

    def work(payload: Payload) -> None:
        with lock:
            busy[0] += 1
            busy[1] = max(busy)
        time.sleep(seconds)
        with lock:
            busy[0] -= 1
            done.append(payload["n"])

    name, many = registered(engine, work), 4 * plan.workers
    for number in range(many):
        with database.write() as session:
            engine.enqueue(session, name, f"{name}-{number}", {"n": number}, queue=queue)
    eventually(lambda: len(done) == many, lambda: f"{len(done)} of {many}", 20)
    assert busy[1] <= plan.workers, "never more than there are places"


def test_what_was_claimed_takes_a_place_before_its_thread_has_begun() -> None:
    """On a busy machine a thread begins later than the next look, which then claimed as many once more."""
    running, wakeups = ActiveWorkflowById(), Wakeups({"q": 0.0})
    wakeups.watch(running)
    wakeups.claimed("q", "one")
    wakeups.claimed("q", "two")
    wakeups.claimed(None, "of no queue")
    assert (running.count_for_queue("q"), running.count_for_queue("other")) == (2, 0)
    entry = running.add("one", "q", None)
    assert running.count_for_queue("q") == 2
    wakeups.not_begun("two")  # it could not be begun
    assert running.count_for_queue("q") == 1
    entry.release()
    assert running.count_for_queue("q") == 0


@pytest.mark.parametrize(
    ("running_now", "looks", "awaited"), [(2, False, True), (1, False, False), (1, True, True), (2, True, True)]
)
def test_the_end_of_a_job_wakes_whoever_may_wait_for_its_place(running_now: int, *, looks: bool, awaited: bool) -> None:
    """That is where no place was free, and where somebody looks who has counted it before."""
    running, wakeups = ActiveWorkflowById(), Wakeups({"q": 0.0}, places={"q": 2})
    wakeups.watch(running)
    sleep, jobs = wakeups.sleeping(threading.Event(), "q"), [running.add(f"{n}", "q", None) for n in range(running_now)]
    if looks:
        sleep.wait(0)
    jobs[0].release()
    began = time.monotonic()
    sleep.wait(0.5)
    assert (time.monotonic() - began < 0.3) is awaited


def test_a_job_that_cannot_be_begun_wakes_whoever_waits_for_its_place() -> None:
    wakeups = Wakeups({"q": 0.0}, places={"q": 1})
    sleep = wakeups.sleeping(threading.Event(), "q")
    wakeups.claimed("q", "one")
    wakeups.not_begun("one")
    began = time.monotonic()
    sleep.wait(LONG)
    assert time.monotonic() - began < SOON


def test_what_was_left_by_another_process_is_found_by_looking() -> None:
    """No alarm: the look after a pause is the back-up."""
    stop, wakeups = threading.Event(), Wakeups({"q": 0.0})
    sleep = wakeups.sleeping(stop, "q")
    began = time.monotonic()
    assert sleep.wait(0.4) is False
    assert 0.3 < time.monotonic() - began < 2.0
    assert wakeups.sleeping(stop, "of nobody") is stop


def test_two_looks_are_apart_however_often_the_alarm_goes() -> None:
    wakeups = Wakeups({"q": 0.2})
    sleep, began = wakeups.sleeping(threading.Event(), "q"), time.monotonic()
    for _ in range(4):
        wakeups.wake("q")
        assert sleep.wait(LONG) is False
    assert 0.6 <= time.monotonic() - began < SOON, "the first at once, the others a pace apart"


def test_whoever_sleeps_sees_that_it_is_to_stop() -> None:
    stop = threading.Event()
    sleep = Wakeups({"q": 0.0}).sleeping(stop, "q")
    threading.Timer(0.1, stop.set).start()
    began = time.monotonic()
    assert sleep.wait(LONG) is True
    assert sleep.is_set()
    assert time.monotonic() - began < SOON


# A look is: wait (which ends by clearing the alarm), then read what is there. A commit is: write, then wake.
LOOK, COMMIT = ("clear", "read"), ("write", "wake")


def orders(looks: int, commits: int) -> Iterator[tuple[str, ...]]:
    """Every way in which the steps of one queue's looks and those of commits can come between one another."""
    one, other = LOOK * looks, COMMIT * commits
    for places in itertools.combinations(range(len(one) + len(other)), len(one)):
        steps, left, right = [], iter(one), iter(other)
        for place in range(len(one) + len(other)):
            steps.append(next(left) if place in places else next(right))
        yield tuple(steps)


@pytest.mark.parametrize("steps", list(orders(2, 2)), ids="-".join)
def test_no_alarm_is_lost_between_a_look_and_the_sleep_after_it(steps: tuple[str, ...]) -> None:
    wakeups = Wakeups({"q": 0.0})
    sleep = wakeups.sleeping(threading.Event(), "q")
    written, read = 0, 0
    for step in steps:
        if step == "clear":
            sleep.wait(0)
        elif step == "read":
            read = written
        elif step == "write":
            written += 1
        else:
            wakeups.wake("q")
    if read < written:
        began = time.monotonic()
        sleep.wait(LONG)
        assert time.monotonic() - began < 0.2, "what was not read must wake the queue once more"


def test_no_commit_of_many_threads_is_forgotten(running: tuple[Engine, Database]) -> None:
    engine, database = running
    done: set[str] = set()
    name = registered(engine, lambda payload: done.add(payload["id"]))

    def commit(who: int) -> None:
        for number in range(20):
            with database.write() as session:
                engine.enqueue(session, name, f"{name}-{who}-{number}", {"id": f"{who}-{number}"})
            time.sleep(0.001 * ((who * 7 + number) % 5))

    threads = [threading.Thread(target=commit, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    eventually(lambda: len(done) == 80, lambda: f"{len(done)} of 80", 20)
