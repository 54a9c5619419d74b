"""What a command may need, loaded before it is asked for; see tests/cli/running.py."""

from __future__ import annotations

import importlib

for _name in ("app", "bot.jobs.instrumented", "bot.feishu.port", "handlers.cli.doctor", "handlers.cli.keeping",
              "handlers.cli.running", "handlers.cli.machine", "handlers.cli.declaring",
              "handlers.configuration.apply",
              "storage.migrate", "storage.backups.backup", "storage.rotation"):  # fmt: skip
    importlib.import_module(_name)
