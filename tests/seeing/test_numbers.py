"""The numbers of running processes, and that dashboard, alerts and documentation speak of them and no others."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from sandbox.faults import CallFault
from sandbox.ports import free_port
from tests.rows import SECRET
from tests.story.waiting import eventually
from tests.story.world import World

ROOT = Path(__file__).resolve().parents[2]
NAME = re.compile(r"\bmpops_[a-z_]+")
ENDINGS = ("_total", "_bucket", "_count", "_sum")


def families(page: str) -> dict[str, Any]:
    return {family.name: family for family in text_string_to_metric_families(page)}


def scrape(url: str) -> dict[str, Any]:
    answer = httpx.get(f"{url}/metrics", trust_env=False, timeout=10)
    assert answer.status_code == 200
    return families(answer.text)


def ours(found: dict[str, Any]) -> set[str]:
    return {name for name in found if name.startswith("mpops_")}


def base(name: str) -> str:
    """A series' name without what its type adds to it."""
    for ending in ENDINGS:
        name = name.removesuffix(ending)
    return name


@pytest.fixture(scope="module")
def page(seen_world: World) -> dict[str, Any]:
    """After some work, with calls that went well and calls that failed."""
    seen_world.fault("feishu", CallFault.DOWN, "/messages", times=1)
    seen_world.customer.complains()
    httpx.post(f"{seen_world.demo.bot_url}/feishu/events", content=b"{}", trust_env=False)
    return scrape(seen_world.demo.bot_url)


def value(found: dict[str, Any], sample: str, **labels: str) -> float:
    values: list[float] = [
        each.value
        for family in found.values()
        for each in family.samples
        if each.name == sample and labels.items() <= each.labels.items()
    ]
    assert values, f"no {sample} {labels}"
    return sum(values)


def test_calls_are_counted_by_operation_and_outcome(page: dict[str, Any]) -> None:
    complaint = {"channel": "wechatpay", "operation": "GET v3/merchant-service/complaints-v2/*", "outcome": "done"}
    assert value(page, "mpops_channel_call_seconds_count", **complaint) >= 1
    assert value(page, "mpops_feishu_call_seconds_count", operation="card.send", outcome="done") >= 1
    assert value(page, "mpops_feishu_call_seconds_count", outcome="Unreachable") >= 1
    assert value(page, "mpops_job_seconds_count", job="inbox.process", outcome="done") >= 1
    assert value(page, "mpops_refused_total", source="feishu") >= 1
    assert value(page, "mpops_database_up") == 1
    assert value(page, "mpops_processes", state="alive") == 1
    assert value(page, "mpops_backup_age_seconds") == float("inf")
    assert 0 < value(page, "mpops_deadline_seconds", kind="complaint.first_reply") <= 24 * 3600
    assert {each.labels["queue"] for each in page["mpops_queue_waiting"].samples} == {
        "interactive", "cards", "channel_wechatpay", "bulk",
    }  # fmt: skip


def test_no_label_holds_an_id_or_anybodys_words(page: dict[str, Any]) -> None:
    for family in page.values():
        for sample in family.samples:
            for name, told in sample.labels.items():
                assert name == "le" or re.fullmatch(r"[A-Za-z_.*/ 0-9+-]{0,60}", told), sample
                assert name == "le" or not re.search(r"\d{4}|o[ucm]_", told), sample


def test_the_documentation_lists_every_number_and_no_other(page: dict[str, Any]) -> None:
    table = {
        line.split("`")[1].partition("{")[0]
        for line in (ROOT / "docs" / "observability.md").read_text().splitlines()
        if line.startswith("| `mpops_")
    }
    assert {base(name) for name in table} == ours(page)


def test_alerts_use_numbers_that_are_there_and_say_what_to_do(page: dict[str, Any]) -> None:
    rules = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text())
    alerts = [rule for group in rules["groups"] for rule in group["rules"]]
    headings = re.findall(r"^#+ (.+)$", (ROOT / "docs" / "runbook.md").read_text(), re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert len(alerts) >= 12
    assert len({alert["alert"] for alert in alerts}) == len(alerts)
    for alert in alerts:
        used = {base(name) for name in NAME.findall(alert["expr"])}
        assert used, alert
        assert used <= ours(page), f"{alert['alert']} asks for {used - ours(page)}"
        said = alert["annotations"]
        assert said["summary"]
        assert said["action"]
        file, _, anchor = said["runbook_url"].partition("#")
        assert file == "docs/runbook.md"
        assert anchor in anchors, f"{alert['alert']} leads nowhere: {anchor}"
        assert alert["labels"]["severity"] in ("warning", "critical")


def test_the_outcomes_in_alerts_are_classes_of_errors() -> None:
    import adapters.errors
    import bot.feishu.errors

    rules = (ROOT / "deploy" / "prometheus" / "alerts.yml").read_text()
    named = {name for told in re.findall(r'outcome=~"([^"]+)"', rules) for name in told.split("|")}
    assert len(named) > 5
    for name in named:
        assert hasattr(adapters.errors, name) or hasattr(bot.feishu.errors, name), name


def test_the_dashboard_asks_for_numbers_that_are_there(page: dict[str, Any]) -> None:
    board = json.loads((ROOT / "deploy" / "grafana" / "mpops.json").read_text())
    asked: set[str] = set()
    for panel in board["panels"]:
        if panel["type"] == "row":
            continue
        assert panel["targets"], panel["title"]
        for target in panel["targets"]:
            found = {base(name) for name in NAME.findall(target["expr"])}
            assert found <= ours(page), f"{panel['title']} asks for {found - ours(page)}"
            asked |= found
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    assert ours(page) == asked, "every number is on it"


@pytest.fixture
def worker(seen_world: World, tmp_path: Path) -> Iterator[str]:
    """A worker on a database of its own that tells its numbers."""
    port = free_port()
    environment = {
        **seen_world.demo.environment(),
        "MPOPS_DATABASE_URL": f"sqlite:///{tmp_path / 'worker.db'}",
        "MPOPS_METRICS__PORT": str(port),
    }
    log = (tmp_path / "worker.log").open("wb")
    process = subprocess.Popen([sys.executable, str(ROOT / "app.py"), "worker"], env=environment, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        assert process.wait(timeout=30) == 0, (tmp_path / "worker.log").read_text()
        log.close()


def test_a_worker_tells_its_numbers_where_it_is_told_to(worker: str) -> None:
    def there() -> dict[str, Any] | None:
        try:
            found = scrape(worker)
        except httpx.HTTPError:
            return None
        ticked = found.get("mpops_schedule_tick_age_seconds")
        return found if ticked is not None and ticked.samples[0].value < 30 else None

    found = eventually(there, "the worker never told that its schedule ticks", 40)
    assert value(found, "mpops_processes", state="alive") == 1
    assert "mpops_job_seconds" in found


def test_an_endpoint_without_the_packages_is_told_in_words(tmp_path: Path) -> None:
    """As on a machine where the extra is not installed: the import fails."""
    (tmp_path / "opentelemetry").mkdir()
    (tmp_path / "opentelemetry" / "__init__.py").write_text("")
    environment = {name: each for name, each in os.environ.items() if not name.startswith("MPOPS_")}
    environment |= {
        "MPOPS_DATABASE_URL": f"sqlite:///{tmp_path / 'x.db'}",
        "MPOPS_SECRET_KEY": SECRET,
        "MPOPS_OTEL__ENDPOINT": "http://127.0.0.1:4318",
        "PYTHONPATH": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, str(ROOT / "app.py"), "worker"], env=environment, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "mpops[otel]" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_an_endpoint_nothing_of_it_is_loaded() -> None:
    program = (
        "import sys, app, bot.telemetry.spans, bot.jobs.instrumented;"
        " print(any(m.startswith('opentelemetry') for m in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "False"
