"""Each in a fresh interpreter: what is loaded once stays loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_one_service_is_loaded_without_the_package_and_the_package_still_works_afterwards() -> None:
    assert (
        run(
            "import sys\n"
            "from bot.feishu import slim_import\n"
            "v1 = slim_import.module('lark_oapi.api.im.v1.version').V1\n"
            "assert slim_import.is_slim()\n"
            "few = len(sys.modules)\n"
            "assert 'lark_oapi.api.hire' not in sys.modules, few\n"
            "assert not hasattr(sys.modules['lark_oapi'], '__wrapped__') and slim_import.is_slim()\n"
            "import lark_oapi as lark\n"
            "client = lark.Client.builder().app_id('a').app_secret('b').build()\n"
            "assert not slim_import.is_slim()\n"
            "assert isinstance(client.im.v1, v1)\n"
            "assert 'lark_oapi.api.hire' in sys.modules\n"
            "assert len(sys.modules) > 3 * few, (few, len(sys.modules))\n"
            "assert not hasattr(lark, 'no_such_thing')\n"
            "print('fine')\n"
        )
        == "fine"
    )


def test_a_package_that_was_loaded_before_is_left_alone() -> None:
    assert (
        run(
            "import sys, types\n"
            "for name in ('lark_oapi', 'lark_oapi.api'):\n"
            "    sys.modules[name] = types.ModuleType(name)\n"
            "    sys.modules[name].__path__ = []\n"
            "sys.modules['lark_oapi.x'] = types.ModuleType('lark_oapi.x')\n"
            "from bot.feishu import slim_import\n"
            "assert slim_import.module('lark_oapi.x') is sys.modules['lark_oapi.x']\n"
            "assert not slim_import.is_slim()\n"
            "print('fine')\n"
        )
        == "fine"
    )


def test_a_release_that_needs_its_own_init_gets_it(tmp_path: Path) -> None:
    package = tmp_path / "lark_oapi"
    (package / "api").mkdir(parents=True)
    (package / "__init__.py").write_text("ready = []\nfrom . import api\nready.append(1)\n")
    (package / "api" / "__init__.py").write_text("")
    (package / "late.py").write_text(
        "import sys\nif not vars(sys.modules['lark_oapi']).get('ready'): raise RuntimeError\n"
    )
    assert (
        run(
            f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\n"
            "from bot.feishu import slim_import\n"
            "assert slim_import.module('lark_oapi.late').__name__ == 'lark_oapi.late'\n"
            "assert not slim_import.is_slim()\n"
            "print('fine')\n"
        )
        == "fine"
    )


def test_nothing_of_the_sdk_is_loaded_before_the_first_call() -> None:
    assert (
        run(
            "import sys\n"
            "import bot.feishu.port, bot.feishu.events, bot.feishu.doctor, bot.feishu.long_connection\n"
            "print([name for name in sys.modules if name.startswith('lark_oapi')])\n"
        )
        == "[]"
    )
