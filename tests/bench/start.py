"""From the command to ready, and what it weighs, beside a bare import of the vendor's SDK."""

from __future__ import annotations

import subprocess
import sys
import time

from sandbox.ports import free_port
from sandbox.server import Sandbox
from tests.bench.processes import APP, ROOT, Program, environment, megabytes, once
from tests.bench.stage import Stage
from tests.bench.table import Measured, Ratio, percentile

_IMPORT = "import lark_oapi, psutil; print(psutil.Process().memory_info().rss)"
_SETTLE = 1.0  # seconds: by then the SDK's parts are loaded, tokens and keys fetched


def measure(stage: Stage) -> Measured:
    found = Measured("start", "cold start (files in the cache, .pyc there)", ("what", "ready s", "memory MB"))
    kind = stage.databases[0]
    times: dict[str, list[tuple[float, float]]] = {}
    with Sandbox() as sandbox:
        app, port = sandbox.feishu.app, free_port()
        settings = environment(
            stage.database(kind), port,
            MPOPS_FEISHU__APP_ID=app.app_id, MPOPS_FEISHU__APP_SECRET=app.secret, MPOPS_FEISHU__DOMAIN=sandbox.url,
            MPOPS_FEISHU__ENCRYPT_KEY=app.encrypt_key, MPOPS_FEISHU__VERIFICATION_TOKEN=app.verification_token,
        )  # fmt: skip
        once((*APP, "migrate"), settings)
        for turn in range(stage.rounds):
            stage.progress(f"round {turn + 1}")
            ready = f"http://127.0.0.1:{port}/readyz"
            times.setdefault("import lark_oapi", []).append(_bare())
            times.setdefault("mpops --help", []).append(_help())
            times.setdefault(f"serve on {kind}", []).append(_program(stage, settings, "serve", ready))
            times.setdefault(f"worker on {kind}", []).append(_program(stage, settings, "worker", "mpops works"))
    for name, each in times.items():
        found.rows.append((name, percentile([s for s, _ in each], 0.5), percentile([mb for _, mb in each], 0.5)))
    bare = times["import lark_oapi"]

    def against(name: str) -> tuple[float, ...]:
        return tuple(ours[0] / theirs[0] for ours, theirs in zip(times[name], bare, strict=True))

    found.ratios += [
        Ratio("serve ready / bare import", against(f"serve on {kind}"), 0.5, at_most=True),
        Ratio("memory of serve", tuple(mb for _, mb in times[f"serve on {kind}"]), 120, at_most=True, unit=" MB"),
        Ratio("help / bare import", against("mpops --help"), 1 / 6, at_most=True),
    ]
    found.notes.append("ready is when /readyz says so; memory is read a second later, the SDK's parts loaded")
    return found


def _bare() -> tuple[float, float]:
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", _IMPORT], capture_output=True, text=True, check=True, cwd=ROOT)
    return time.perf_counter() - started, int(done.stdout) / 2**20


def _help() -> tuple[float, float]:
    started = time.perf_counter()
    subprocess.run([*APP, "--help"], stdout=subprocess.DEVNULL, check=True, cwd=ROOT)
    return time.perf_counter() - started, float("nan")


def _program(stage: Stage, settings: dict[str, str], command: str, ready: str) -> tuple[float, float]:
    with Program([*APP, command], stage.room("start") / f"{command}.log", settings, ready) as program:
        time.sleep(_SETTLE)
        return program.ready_in, megabytes(program.pid)
