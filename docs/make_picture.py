"""Makes the pictures under docs/images: starts the demo, plays a complaint in its console, and photographs the cards.

    python docs/make_picture.py

Needs a Chromium, and fonts for Chinese and emoji (Debian: fonts-noto-cjk, fonts-noto-color-emoji).
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Locator, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from sandbox.company import GROUP  # noqa: E402  # the project is not installed, and this file lies beside it
from sandbox.demo import Demo  # noqa: E402

IMAGES = ROOT / "docs" / "images"
LARGEST = 300_000  # bytes: pictures are committed
PATIENCE = 20_000  # ms
CHEN, WANG = "ou_operator_chen", "ou_approver_wang"


def card(page: Page, title: str) -> Locator:
    return page.get_by_test_id("card").filter(has=page.get_by_role("heading", name=title)).last


def press(card: Locator, label: str) -> None:
    card.get_by_role("button", name=label, exact=True).click(timeout=PATIENCE)


def shows(card: Locator, *words: str) -> None:
    for each in words:
        expect(card).to_contain_text(each, timeout=PATIENCE)


def photograph(target: Locator | Page, name: str) -> None:
    path = IMAGES / name
    target.screenshot(path=path, animations="disabled", style="[data-testid=toast] { visibility: hidden }")
    size = path.stat().st_size
    sys.stdout.write(f"{path.relative_to(ROOT)}: {size // 1000} KB\n")
    if size > LARGEST:
        raise SystemExit(f"{name} is larger than {LARGEST // 1000} KB")


def play(demo: Demo, narrow: Page, wide: Page) -> None:
    """`narrow` is as wide as one card is easily read in a README, `wide` shows the whole console."""
    address = f"{demo.sandbox.url}/?chat={GROUP}&lang=zh"
    narrow.goto(f"{address}&me={CHEN}&panel=0")
    demo.sandbox.wechatpay.complain_with_sample(demo.company.merchant.id, "wrong_size")
    complaint = card(narrow, "投诉 C1")
    press(complaint, "认领")
    press(complaint, "回复客户")
    complaint.locator("select").select_option(label="致歉并核实")
    expect(complaint.get_by_label("回复内容（客户会看到）")).to_have_value(re.compile("抱歉"), timeout=PATIENCE)
    press(complaint, "发送回复")
    shows(complaint, "已回复", "协商记录 1 条")
    ticket = next(iter(demo.sandbox.wechatpay.complaints))
    demo.sandbox.wechatpay.customer_writes(ticket, "收到，差价大概什么时候能退？")
    shows(complaint, "客户在等回复", "差价大概什么时候能退")
    photograph(complaint, "complaint-card.png")

    press(complaint, "申请退款")
    complaint.get_by_label("退款原因（客户会看到）").fill("发错尺码，退还差价")
    press(complaint, "提交申请")
    shows(complaint, "待审批")
    private = demo.sandbox.feishu.p2p(WANG).chat_id
    narrow.goto(f"{demo.sandbox.url}/?chat={private}&lang=zh&me={WANG}&panel=0")
    request = card(narrow, "退款审批")
    shows(request, "发错尺码，退还差价")
    photograph(request, "approval-card.png")

    wide.goto(f"{address}&me={CHEN}&panel=1")
    shows(card(wide, "退款审批"), "待审批")
    photograph(wide, "console.png")


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("No Chromium was found. On Debian: apt-get install chromium")
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        demo = Demo(0, [sys.executable, str(ROOT / "app.py")], folder=Path(folder) / "demo")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        try:
            demo.start()
            look = {"locale": "zh-CN", "device_scale_factor": 1.5, "color_scheme": "light"}
            narrow = browser.new_page(viewport={"width": 520, "height": 1600}, **look)  # type: ignore[arg-type]  # keywords by name
            wide = browser.new_page(viewport={"width": 1280, "height": 860}, locale="zh-CN", color_scheme="light")
            play(demo, narrow, wide)
        finally:
            browser.close()
            demo.stop()


if __name__ == "__main__":
    main()
