"""The command line: what each command says and how it ends, on a deployment of its own."""

from __future__ import annotations

import re
import shutil
import sqlite3
from datetime import timedelta

from sandbox.company import GROUP
from tests.golden.player import CHEN, WANG, Player

_COMMANDS = (
    "", "serve", "worker", "migrate", "apply", "doctor", "backup", "drill", "restore", "keys", "keys list",
    "keys rotate", "keys reseal", "audit", "audit verify", "audit export", "demo", "bench",
)  # fmt: skip
_OTHERWISE = (  # what is never the same
    (re.compile(r"process \d+"), "process <n>"),
    (re.compile(r"\d+ rows"), "<n> rows"),
    (re.compile(r"seals \d+ values"), "seals <n> values"),
    (re.compile(r"\d+ (encrypted )?values"), r"<n> \1values"),
    (re.compile(r"secret key [0-9a-f]+"), "secret key <fingerprint>"),
    (re.compile(r"(made|with|:) k\d+-?[0-9a-z]*"), r"\1 <key>"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)? UTC"), "<moment> UTC"),
    (re.compile(r"\d+(\.\d+)? (ms|MB|GB|seconds|s)\b"), r"<n> \2"),
)


def run(play: Player, line: str, told: str = "", **settings: str) -> None:
    """One command. Its output goes down as it is, but for what is never the same."""

    def do() -> str:
        ran = play.cli(*line.split(), **settings)
        said = [f"exit {ran.returncode}", *(f"| {each}" for each in ran.stdout.splitlines())]
        said += [f"! {each}" for each in ran.stderr.splitlines() if not each.startswith("{")]
        found = "\n".join(said)
        for pattern, name in _OTHERWISE:
            found = pattern.sub(name, found)
        return found

    play.act(f"mpops {line}{told}", do, by=timedelta(minutes=1))  # a command takes longer than anything in chat
    if "--help" not in line:
        words = [word for word in line.split() if not word.startswith("-") and "." not in word and "/" not in word]
        play.played["command line"].add(" ".join(words))


def help(play: Player) -> None:
    for command in _COMMANDS:
        run(play, f"{command} --help".strip())
    for wrong in ("frobnicate", "serve --fast", "apply", "backup", "audit burn", "apply nothing.toml", "drill nothing"):
        run(play, wrong)
    run(play, "--version")
    run(play, "migrate", " without a secret key", MPOPS_SECRET_KEY="")
    run(play, "audit verify", " with another secret key", MPOPS_SECRET_KEY="another secret key altogether")
    run(play, "doctor", " with wrong settings", MPOPS_HTTP__PORT="many", MPOPS_ZONE="Nowhere/Else")


def applied(play: Player) -> None:
    file = play.folder / "company.toml"
    text = file.read_text()
    (play.folder / "wrong.toml").write_text(
        text.replace('channel = "wechatpay"', 'channel = "pigeons"') + "\n[[what]]\n"
    )
    (play.folder / "broken.toml").write_text("[[account]\n")
    changed = text.replace('deadline = "4h"', 'deadline = "2h"').replace('title = "问题已解决"', 'title = "已解决"')
    (play.folder / "changed.toml").write_text(changed.replace('person = "ou_reader_he"', 'person = "ou_newcomer_sun"'))
    run(play, "apply company.toml", " again")
    for name in ("wrong", "broken"):
        run(play, f"apply {name}.toml")
    run(play, "apply --dry-run changed.toml")
    run(play, "apply changed.toml")
    run(play, "apply company.toml", " as it was")


def kept(play: Player) -> None:
    """Backup, its proof, and the database brought back; the keys; the audit."""
    play.complains("备份里的投诉", phone="13812345678")
    card = play.card(GROUP, "投诉 C1")
    play.clicks(CHEN, card, "认领")
    play.clicks(CHEN, card, "申请退款")
    play.clicks(CHEN, card, "提交申请", reason="要退")
    run(play, "doctor")
    run(play, "doctor --set-addresses")
    for line in ("migrate", "keys list", "keys rotate", "keys reseal", "keys list", "audit verify"):
        run(play, line)
    run(play, "audit verify --anchor 1:0000000000000000")
    run(play, "audit verify --anchor what")
    for line in ("audit export", "audit export --language en_us", "audit export --csv"):
        run(play, line)
    run(play, "backup first.backup")
    run(play, "backup first.backup", " again")
    run(play, "backup --drill second.backup")
    run(play, "drill first.backup")
    shutil.copy(play.folder / "company.toml", play.folder / "no.backup")
    run(play, "drill no.backup")
    run(play, "restore first.backup", " into a database that is in use")
    play.clicks(WANG, play.card(WANG, "退款审批"), "同意")
    play.later(seconds=30)  # what WeChat Pay tells of it comes in turn; after a minute it would come all at once
    elsewhere = {"MPOPS_DATABASE_URL": f"sqlite:///{play.folder / 'other.db'}", "MPOPS_EXECUTOR": "other"}
    run(play, "restore first.backup", " elsewhere", **elsewhere)
    # The signs of life in it are those of the backup, and count for some real seconds.
    with sqlite3.connect(play.folder / "other.db") as connection:
        connection.execute("DELETE FROM heartbeat")
    connection.close()
    run(play, "restore first.backup", " elsewhere again", **elsewhere)
    run(play, "restore --force first.backup", " elsewhere again", **elsewhere)
    run(play, "audit verify", " elsewhere", **elsewhere)
    run(play, "doctor", " elsewhere", **elsewhere)
    run(play, "serve", " under a name that is taken")
    run(play, "restore no.backup", " elsewhere", **elsewhere)


def play(player: Player) -> None:
    help(player)
    applied(player)
    kept(player)
