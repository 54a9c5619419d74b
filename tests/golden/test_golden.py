"""The present tree does what the recording says, and the recording leaves nothing out."""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from tests.golden.compare import meant
from tests.golden.joined import joined
from tests.golden.play import ROOT, play
from tests.golden.recording import differences, load_all, unmeant, without_rows
from tests.golden.stage import Tree

# Feishu's name for the events that areas listen to.
EVENTS = {
    "BotAddedToChat": "im.chat.member.bot.added_v1",
    "BotMenu": "application.bot.menu_v6",
    "BotRemovedFromChat": "im.chat.member.bot.deleted_v1",
    "ChatDisbanded": "im.chat.disbanded_v1",
    "MessageRecalled": "im.message.recalled_v1",
    "UserChanged": "contact.user.updated_v3",
    "UserLeft": "contact.user.deleted_v3",
}
PUSHES = {
    "COMPLAINT.CREATE", "COMPLAINT.STATE_CHANGE", "REFUND.SUCCESS", "REFUND.ABNORMAL", "REFUND.CLOSED",
}  # fmt: skip
NOT_PLAYED = {
    ("clicks", "todo.complaint"): "no card draws it any more",
    ("jobs", "inbox.process_all"): "several events that arrive at the same instant, and that cannot be had for certain",
    ("command line", "demo"): "starts the sandbox itself and runs until it is stopped; the tests of the console use it",
    ("command line", "bench"): "measures; its outcome is never the same",
    ("command line", "worker"): "needs PostgreSQL beside a `serve`, and runs until it is stopped",
}

# What came after the recording was made, by its kind, with the test that plays it.
NEWER: dict[tuple[str, str], str] = {}


def played() -> dict[str, set[str]]:
    """All acts of the recording together."""
    found: dict[str, set[str]] = defaultdict(set)
    for act in load_all().values():
        for kind, names in act["played"].items():
            found[kind] |= set(names)
    return found


def test_everything_is_played(tmp_path: Path) -> None:
    there, done = joined(tmp_path), played()
    excused = {**NOT_PLAYED, **NEWER}
    asked = {kind: {name for name in names if (kind, name) not in excused} for kind, names in there.items()}
    hint = "that no act plays; what is newer than the recording stands in NEWER"
    assert {name for name in asked["commands"] if not done["words"] & set(name.split("/"))} == set(), f"commands {hint}"
    for kind in ("clicks", "cards", "deadlines", "jobs", "schedules", "command line"):
        assert asked[kind] - done[kind] == set(), f"{kind} {hint}"
    assert {name for name in asked["events"] if EVENTS[name] not in done["events"]} == set(), f"events {hint}"
    assert PUSHES - done["pushes"] == set()
    assert {(kind, name) for kind, name in excused if name not in there[kind]} == set(), "it is gone"
    assert {(kind, name) for kind, name in NOT_PLAYED if name in done[kind]} == set(), "it is played"


@pytest.mark.skipif(not os.environ.get("MPOPS_GOLDEN"), reason="needs the machine for itself: MPOPS_GOLDEN=1")
@pytest.mark.timeout(600)
def test_the_present_tree_does_what_the_recording_says(tmp_path: Path) -> None:
    recording = {name: without_rows(act) for name, act in play(Tree(ROOT, sys.executable), tmp_path).items()}
    found = unmeant(differences(load_all(), recording), meant())
    assert not found, "\n".join(map(str, found))
