from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.feishu.lark import LarkFeishu
from sandbox.server import Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def port(sandbox: Sandbox) -> LarkFeishu:
    app = sandbox.feishu.app
    return LarkFeishu(app.app_id, app.secret, sandbox.url, sandbox.world.clock, timeout=5.0)
