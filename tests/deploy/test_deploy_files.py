"""Dockerfile, compose.yaml and the systemd units: what they name exists, and what they copy is enough to run."""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from app import main
from bot.settings import Settings, SettingsError, load
from tests.cli.running import ROOT, settings, without_settings

UNITS = sorted((ROOT / "deploy").glob("mpops*.service"))
SERVICES = {"mpops.service", "mpops-worker@.service"}


def known_command(arguments: list[str]) -> click.Command:
    """The command that these arguments start; an assertion fails where there is none such."""
    command: click.Command = main
    for argument in arguments:
        if argument.startswith("-"):
            assert argument in {option for param in command.params for option in param.opts}, argument
        elif isinstance(command, click.Group):
            assert argument in command.commands, argument
            command = command.commands[argument]
    return command


def known_settings(values: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings that come of these variables; a name or a value that is none is refused."""
    for name in os.environ.keys() - without_settings().keys():
        monkeypatch.delenv(name)
    for name, value in values.items():
        if name.startswith("MPOPS_"):
            assert name.removeprefix("MPOPS_").split("__")[0].lower() in Settings.model_fields, name
            monkeypatch.setenv(name, value)
    try:
        return load(need_secret=False)
    except SettingsError as error:
        pytest.fail(str(error))


def seconds(said: str) -> float:
    found = re.fullmatch(r"(\d+)s?", said)
    assert found, said
    return float(found[1])


def longest_stop(of: Settings) -> float:
    """When a process ends by itself: handlers/cli/serve.py, `_stop`."""
    return of.http.drain + 2 * of.grace + 15


# --- compose.yaml ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    read = yaml.safe_load((ROOT / "compose.yaml").read_text())
    assert isinstance(read, dict)
    return read


def ours(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: one for name, one in compose["services"].items() if one["image"].startswith("mpops:")}


def test_compose_has_a_database_a_web_process_two_workers_and_one_migration(compose: dict[str, Any]) -> None:
    commands = sorted(" ".join(one["command"]) for one in ours(compose).values())
    assert commands == ["migrate", "serve --web-only", "worker", "worker"]
    postgres = compose["services"]["postgres"]
    assert int(re.findall(r"^postgres:(\d+)$", postgres["image"])[0]) >= 17
    assert "pg_isready" in str(postgres["healthcheck"]["test"])
    for name, one in ours(compose).items():
        assert one["depends_on"]["postgres"]["condition"] == "service_healthy", name
        if name != "migrate":
            assert one["depends_on"]["migrate"]["condition"] == "service_completed_successfully", name
        assert one["restart"] == ("no" if name == "migrate" else "unless-stopped")
        assert one["init"] is True  # as process 1, Python would not hear SIGTERM before it listens to it
        assert one["read_only"] is True
        assert one["cap_drop"] == ["ALL"]


def test_compose_names_only_commands_and_settings_that_exist(
    compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = []
    for name, one in ours(compose).items():
        known_command(one["command"])
        read = known_settings({key: str(value) for key, value in one["environment"].items()}, monkeypatch)
        assert seconds(one["stop_grace_period"]) >= longest_stop(read), name
        names.append(read.executor)
    assert len(set(names)) == len(names), "each process has a name of its own"


def test_compose_and_the_image_hold_no_secret(compose: dict[str, Any]) -> None:
    for one in ours(compose).values():
        assert one["env_file"] == ["mpops.env"]
        for name, value in one["environment"].items():
            assert not re.search("SECRET|TOKEN|KEY", name), name
            if "password" in str(value).lower():
                assert "${POSTGRES_PASSWORD:?" in value
    assert "${POSTGRES_PASSWORD:?" in compose["services"]["postgres"]["environment"]["POSTGRES_PASSWORD"]
    ignored = (ROOT / ".gitignore").read_text().split()
    assert {"/mpops.env", "/.env", "/config/"} <= set(ignored)


def test_the_connections_of_all_processes_fit_into_the_server(compose: dict[str, Any]) -> None:
    said = compose["services"]["postgres"]["command"]
    most = next(int(part.partition("=")[2]) for part in said if part.startswith("max_connections="))
    each = int(re.findall(r"\*\*(\d+)\*\* connections at most", (ROOT / "docs" / "deploy.md").read_text())[0])
    running = [one for one in ours(compose).values() if one["command"] != ["migrate"]]
    assert (len(running) + 1) * each + 10 < most  # one more while it is being replaced


def test_the_example_of_settings_names_only_what_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (ROOT / "deploy" / "mpops.env.example").read_text().splitlines()
    said = {found[1]: found[2] for line in lines if (found := re.fullmatch(r"(?:# )?([A-Z][A-Z0-9_]+)=(\S*)", line))}
    assert {"MPOPS_SECRET_KEY", "MPOPS_DATABASE_URL", "MPOPS_FEISHU__APP_ID"} <= set(said)
    known_settings(said, monkeypatch)


# --- systemd -----------------------------------------------------------------------------------------------------


def unit(file: Path) -> dict[str, list[str]]:
    read: dict[str, list[str]] = {}
    for line in file.read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            read.setdefault(name, []).append(value)
    return read


@pytest.mark.parametrize("file", UNITS, ids=lambda file: file.name)
def test_units_are_hardened_and_start_commands_that_exist(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = unit(file)
    hardened = {
        "NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes", "User": "mpops",
        "CapabilityBoundingSet": "", "EnvironmentFile": "/etc/mpops/mpops.env", "UMask": "0077",
    }  # fmt: skip
    for name, value in hardened.items():
        assert read[name] == [value], name
    assert read["StateDirectory"][0].split()[0] == "mpops"
    said = dict(one.split("=", 1) for line in read.get("Environment", []) for one in shlex.split(line))
    (start, *_) = read["ExecStart"]
    words = shlex.split(start.removeprefix("/bin/sh -c ").strip("'").replace("$SERVE_OPTIONS", ""))
    at = words.index("/opt/mpops/app.py")
    assert words[at - 1] == "/opt/mpops/.venv/bin/python"
    known_command(list(itertools.takewhile(lambda word: "/" not in word, words[at + 1 :])))
    if file.name not in SERVICES:
        return
    executor = "MPOPS_EXECUTOR=%i" in words or said.get("MPOPS_EXECUTOR") == "%H"
    assert executor, "the name of the process comes from the unit's"
    assert read["Restart"] == ["always"]
    known = known_settings({name: value for name, value in said.items() if name.startswith("MPOPS_")}, monkeypatch)
    assert seconds(read["TimeoutStopSec"][0]) >= longest_stop(known) + 5


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("this machine has no systemd-analyze")
    for file in (ROOT / "deploy").glob("mpops*.*"):
        if file.suffix in (".service", ".timer"):
            there = file.read_text().replace("/opt/mpops/.venv/bin/python", sys.executable)
            (tmp_path / file.name).write_text(there.replace("file:/opt/mpops/docs/deploy.md", "man:systemd(1)"))
    names = sorted(str(file).replace("@.", "@worker-0.") for file in tmp_path.iterdir())
    done = subprocess.run(
        [analyze, "verify", "--man=no", *names], capture_output=True, text=True, check=False, timeout=60
    )
    said = [line for line in (done.stdout + done.stderr).splitlines() if "mpops" in line]
    assert said == []


# --- Dockerfile --------------------------------------------------------------------------------------------------


def instructions(stage: int) -> list[tuple[str, str]]:
    """Of one stage: what it does, and with what."""
    lines = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text()).splitlines()
    read = [tuple(line.split(maxsplit=1)) for line in lines if line and not line.startswith("#")]
    starts = [number for number, (word, _) in enumerate(read) if word == "FROM"]
    ends = [*starts[1:], len(read)]
    return [(word, rest) for word, rest in read[starts[stage] : ends[stage]]]


def copied() -> list[str]:
    """What the build takes out of the repository."""
    sources = [shlex.split(rest)[:-1] for stage in (0, 1) for word, rest in instructions(stage) if word == "COPY"]
    return [source for line in sources if not line[0].startswith("--from") for source in line]


def one(word: str, stage: int = 1) -> str:
    (rest,) = [rest for name, rest in instructions(stage) if name == word]
    return rest


def test_the_image_runs_without_rights_and_without_what_built_it() -> None:
    assert one("FROM") == "python:3.11-slim"
    assert one("FROM", 0) == "python:3.11-slim AS build"
    build = " ".join(rest for word, rest in instructions(0) if word == "RUN")
    assert "--require-hashes" in build
    assert "requirements.lock" in build
    uid = re.findall(r"useradd .*--uid (\d+)", " ".join(rest for _, rest in instructions(1)))[0]
    assert one("USER") == f"{uid}:{uid}"
    assert int(uid) > 1000
    assert one("STOPSIGNAL") == "SIGTERM"
    assert one("VOLUME") == "/app/var"
    assert all(rest.startswith("--from=build") for word, rest in instructions(1) if word == "COPY")
    assert [word for word, _ in instructions(1)].index("USER") > [word for word, _ in instructions(1)].index("RUN")
    assert json.loads(one("ENTRYPOINT")) == ["python", "/app/app.py"]
    known_command(json.loads(one("CMD")))
    assert not {source for source in copied() if source.startswith(("tests", "docs", "sandbox", "."))}


def test_what_the_image_sets_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    read = known_settings(dict(item.split("=", 1) for item in shlex.split(one("ENV"))), monkeypatch)
    assert read.http.host == "0.0.0.0"
    assert one("EXPOSE") == str(read.http.port)


def test_the_ignored_files_let_through_what_is_copied() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    assert {line[1:] for line in lines if line.startswith("!")} == set(copied())


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the image's /app has."""
    folder = tmp_path_factory.mktemp("image") / "app"
    folder.mkdir()
    for source in copied():
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, folder / source, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, folder / source)
    return folder


def run(image: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**settings("sqlite:///var/mpops.db"), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=image, env=environment, capture_output=True, text=True, check=False,
        timeout=100,
    )  # fmt: skip


def test_what_the_image_copies_is_enough(image: Path) -> None:
    helped = run(image, "app.py", "--help")
    assert helped.returncode == 0, helped.stderr
    migrated = run(image, "app.py", "migrate")
    assert migrated.returncode == 0, migrated.stderr
    assert (image / "var" / "mpops.db").is_file()
    # Everything that `serve` is made of, and from nowhere else.
    built = run(
        image, "-c",
        "import app, sys; from bot.settings import load; app.build(load()).database.close()\n"
        "parts = ('bot', 'handlers', 'adapters', 'storage', 'sandbox', 'tests')\n"
        "print(*{sys.modules[name].__file__ for name in sys.modules if name.split('.')[0] in parts}, sep='\\n')",
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    for file in built.stdout.splitlines():
        assert Path(file).is_relative_to(image)
    refused = run(image, "app.py", "demo")
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert "clone the repository" in refused.stderr


@pytest.fixture
def answering() -> Iterator[list[int]]:
    """A server on a free port, which stands first in the list; the second is what it answers."""
    says = [0, 200]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(says[1] if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *parts: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    says[0] = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield says
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_image_is_healthy_when_its_web_says_so(answering: list[int]) -> None:
    check = json.loads(one("HEALTHCHECK").partition("CMD ")[2])

    def healthy() -> bool:
        environment = {**without_settings(), "MPOPS_HTTP__PORT": str(answering[0])}
        done = subprocess.run([sys.executable, *check[1:]], env=environment, capture_output=True, check=False)
        return done.returncode == 0

    assert healthy()
    answering[1] = 503
    assert not healthy()
    answering[0] = 9
    assert not healthy()
