"""Sentences at rest come back as they were, and what is secret stands in no log line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.telemetry.logs import new_incident, redacted
from bot.texts import Fen, Instant, Left, Mention, Text
from bot.texts.stored_text import dump_text, load_text

ROOT = Path(__file__).resolve().parents[3]
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
    stored = dump_text(words)
    assert load_text(stored) == words
    assert json.loads(stored)


@pytest.mark.parametrize(
    "stored", ['"words"', "3", '{"fen": 1}', '{"at": "2026-01-01T00:00:00+00:00", "style": "day"}']
)
def test_what_is_no_sentence_is_not_taken_for_one(stored: str) -> None:
    with pytest.raises(ValueError, match="not a stored sentence"):
        load_text(stored)


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


# Logs each secret in every way there is; in a process of its own, for logging belongs to a whole process.
PROGRAM = """
import json, logging, sys
import structlog
from bot.telemetry.logs import configure

configure("info", "json")
structlog.get_logger("area").info("thing.happened", number=3, words="中文")
logging.getLogger("somebody.else").warning("a library says %s", "hello")
logging.getLogger("httpx").info("not this")
structlog.get_logger("area").debug("nor this")
for line in json.loads(sys.stdin.read()):
    structlog.get_logger("area").info(line)
    structlog.get_logger("area").info("event", said=line)
    structlog.get_logger("area").info("event", said=[line], told={"inner": {"words": line}}, why=ValueError(line))
    logging.getLogger("library").error("said %s", line)
    try:
        raise RuntimeError(line)
    except RuntimeError:
        structlog.get_logger("area").exception("failed")
        logging.getLogger("library").exception("failed")
"""
WAYS = 6


@pytest.fixture(scope="module")
def lines() -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], input=json.dumps([line for line, _ in SECRETS]), text=True,
        capture_output=True, timeout=60, check=True, cwd=ROOT, env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    assert done.stdout == "", "logs go to standard error"
    return done.stderr.splitlines()


def test_every_line_is_json_with_a_name_a_level_and_a_time(lines: list[str]) -> None:
    told = [json.loads(line) for line in lines]
    ours, theirs = told[:2]
    assert (ours["event"], ours["level"], ours["logger"], ours["number"], ours["words"]) == (
        "thing.happened", "info", "area", 3, "中文",
    )  # fmt: skip
    assert theirs["event"] == "a library says hello"
    assert len(told) == 2 + WAYS * len(SECRETS), "and nothing that was not asked for"
    for line in told:
        assert datetime.fromisoformat(line["timestamp"]).tzinfo is not None
        assert line["level"] in ("info", "warning", "error")
        assert line["logger"]


@pytest.mark.parametrize("number", range(len(SECRETS)), ids=[secret for _, secret in SECRETS])
def test_no_way_into_the_log_lets_a_secret_through(lines: list[str], number: int) -> None:
    own = lines[2 + number * WAYS : 2 + (number + 1) * WAYS]
    assert [line for line in own if SECRETS[number][1] in line] == []
    assert sum("RuntimeError" in line for line in own) == 2, "the rest of the traceback is there"


def test_incidents_are_short_and_differ() -> None:
    assert len({new_incident() for _ in range(200)}) == 200
    assert all(len(new_incident()) == 8 for _ in range(5))
