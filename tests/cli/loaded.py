"""What a command may need, loaded before it is asked for; see tests/cli/running.py."""

from __future__ import annotations

import importlib

for _name in ("app", "bot.jobs.instrumented", "bot.feishu.lark", "handlers.cli.doctor_setup", "handlers.cli.backup",
              "handlers.cli.serve", "handlers.cli.doctor_machine", "handlers.cli.doctor", "handlers.cli.apply",
              "handlers.configuration.apply",
              "storage.migrate", "storage.backups.backup", "storage.rotation"):  # fmt: skip
    importlib.import_module(_name)
