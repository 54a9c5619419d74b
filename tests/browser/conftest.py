"""A headless Chromium for the browser tests, and the console with a small company in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.console_world import ConsoleWorld

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
BAD = ("error", "warning")
PATIENCE = 20_000  # milliseconds; what works takes far less, but the machine may be busy
expect.set_options(timeout=PATIENCE)
REFUSED = "the server responded with a status of 409"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]


# Not for the whole session: while Playwright is started, an event loop counts as running in this thread, and code that
# asks for one (the engine does) fails in every test that comes after.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists() and not os.environ.get("MPOPS_REQUIRE_ALL"):
        pytest.skip("no Chromium on this machine; set MPOPS_REQUIRE_ALL to make that a failure")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def world() -> Iterator[ConsoleWorld]:
    with ConsoleWorld() as world:
        yield world


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page in Chinese; whatever it complains about on its console fails the test.

    But not that an action was refused: the browser itself notes every answer of 400 and above.
    """
    context = chromium.new_context(locale="zh-CN", viewport={"width": 1280, "height": 860})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda one: said.append(one.text) if one.type in BAD and REFUSED not in one.text else None)
    yield page
    context.close()
    assert said == []
