"""Sentences at rest come back as they were, and what is secret stands in no log line."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.logs import configure, new_incident, redacted
from bot.spoken import spoken, spoken_json
from bot.texts import Fen, Instant, Left, Mention, Text

WORDS = st.text(max_size=30)
PLAIN = st.one_of(
    WORDS,
    st.integers(),
    st.builds(Fen, st.integers(-(10**12), 10**12)),
    st.builds(
        Instant,
        st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=8))])),
        st.sampled_from(["minute", "day", "time"]),
    ),
    st.builds(Left, st.timedeltas(timedelta(-400), timedelta(400))),
    st.builds(Mention, WORDS, WORDS, st.booleans()),
)
NAMES = st.text(alphabet="abcdefgh_", min_size=1, max_size=8).filter(lambda name: name != "key")


def sentences(inner: st.SearchStrategy[object]) -> st.SearchStrategy[Text]:
    return st.builds(lambda key, params: Text(key, params), WORDS, st.dictionaries(NAMES, inner, max_size=4))


@settings(deadline=None)
@given(sentences(st.one_of(PLAIN, sentences(PLAIN))))
def test_a_sentence_comes_back_as_it_was(words: Text) -> None:
    stored = spoken_json(words)
    assert spoken(stored) == words
    assert json.loads(stored)


@pytest.mark.parametrize(
    "stored", ['"words"', "3", '{"fen": 1}', '{"at": "2026-01-01T00:00:00+00:00", "style": "day"}']
)
def test_what_is_no_sentence_is_not_taken_for_one(stored: str) -> None:
    with pytest.raises(ValueError, match="not a stored sentence"):
        spoken(stored)


# --- logs --------------------------------------------------------------------------------------

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0\n-----END RSA PRIVATE KEY-----"
SECRETS = [
    (PEM, "MIIEvQ"),
    ("got t-g1044ghxxAbCdEf0123456789 from Feishu", "g1044ghxx"),
    ("u-7e8f9a0b1c2d3e4f5a6b is a person's", "7e8f9a0b"),
    ("customer 13812345678 wrote", "13812345678"),
    ("电话13812345678。", "13812345678"),
    ('{"app_secret": "s3cr3t-value"}', "s3cr3t-value"),
    ("app_secret=s3cr3t-value&x=1", "s3cr3t-value"),
    ("api_v3_key: 0123456789abcdef0123456789abcdef", "0123456789abcdef"),
    ("{'password': 'hunter2'}", "hunter2"),
]


@pytest.mark.parametrize(("line", "secret"), SECRETS)
def test_secrets_are_taken_out_and_the_rest_stays(line: str, secret: str) -> None:
    told = redacted(f"before {line} after")
    assert secret not in told
    assert told.startswith("before ")
    assert told.endswith("after")
    assert redacted(told) == told or "[hidden]" in told


@pytest.mark.parametrize(
    "line",
    ["order 4200001913812345678001", "transaction 1000000012", "complaint C138", "t-shirt of u-boat", "2026-03-02"],
)
def test_what_only_looks_a_bit_like_it_stays(line: str) -> None:
    assert redacted(line) == line


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """The program's own logging, taken away afterwards; pytest puts its handlers in for each phase by itself."""
    root = logging.getLogger()
    level = root.level
    configure("info", "json")
    ours = root.handlers[:]
    yield capsys
    root.handlers[:] = [handler for handler in root.handlers if handler not in ours]
    root.setLevel(level)
    structlog.reset_defaults()


def lines(logged: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in logged.readouterr().err.splitlines()]


def test_every_line_is_json_with_a_name_a_level_and_a_time(logged: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger("area").info("thing.happened", number=3, words="中文")
    logging.getLogger("somebody.else").warning("a library says %s", "hello")
    logging.getLogger("httpx").info("not this")
    structlog.get_logger("area").debug("nor this")
    ours, theirs = lines(logged)
    assert (ours["event"], ours["level"], ours["logger"], ours["number"], ours["words"]) == (
        "thing.happened", "info", "area", 3, "中文",
    )  # fmt: skip
    assert theirs["event"] == "a library says hello"
    for line in (ours, theirs):
        assert datetime.fromisoformat(str(line["timestamp"])).tzinfo is not None


@pytest.mark.parametrize(("line", "secret"), SECRETS)
def test_no_way_into_the_log_lets_a_secret_through(logged: pytest.CaptureFixture[str], line: str, secret: str) -> None:
    structlog.get_logger("area").info(line)
    structlog.get_logger("area").info("event", said=line)
    logging.getLogger("library").error("said %s", line)
    try:
        raise RuntimeError(line)
    except RuntimeError:
        structlog.get_logger("area").exception("failed")
        logging.getLogger("library").exception("failed")
    told = logged.readouterr().err
    assert len(told.splitlines()) == 5
    assert secret not in told
    assert "RuntimeError" in told, "the rest of the traceback is there"


@pytest.mark.parametrize(("line", "secret"), SECRETS)
def test_nor_inside_lists_and_mappings(logged: pytest.CaptureFixture[str], line: str, secret: str) -> None:
    structlog.get_logger("area").info("event", said=[line], told={"inner": {"words": line}}, why=ValueError(line))
    assert secret not in logged.readouterr().err


def test_incidents_are_short_and_differ() -> None:
    assert len({new_incident() for _ in range(200)}) == 200
    assert all(len(new_incident()) == 8 for _ in range(5))
