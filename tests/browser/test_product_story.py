"""The product seen through the console: what a new user of `make demo` does, with a real bot behind it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, expect

from sandbox.company import GROUP, MERCHANT
from sandbox.demo import Demo

CHEN, LI, WANG, ZHAO = "ou_operator_chen", "ou_operator_li", "ou_approver_wang", "ou_admin_zhao"
BEIJING = ZoneInfo("Asia/Shanghai")
PATIENCE = 15_000  # ms; a call to the platform and back, on a busy machine


class Console:
    """The page as somebody uses it."""

    def __init__(self, page: Page, demo: Demo) -> None:
        self.page = page
        self._demo = demo

    def open(self, me: str, chat: str = GROUP, panel: bool = True) -> None:
        self.page.goto(f"{self._demo.sandbox.url}/?me={me}&chat={chat}&panel={int(panel)}")

    def becomes(self, who: str) -> None:
        self.page.get_by_test_id("who").select_option(who)

    def goes_to(self, chat: str) -> None:
        self.page.locator(f"[data-testid=chat-row][aria-label^={chat}]").click()

    def card(self, title: str) -> Locator:
        """The newest card with that title."""
        return self.page.get_by_test_id("card").filter(has=self.page.get_by_role("heading", name=title)).last

    def presses(self, card: Locator, label: str) -> None:
        card.get_by_role("button", name=label, exact=True).click()

    def says(self, words: str) -> None:
        box = self.page.get_by_test_id("composer")
        box.fill(words)
        box.press("Enter")

    def toast(self, words: str) -> None:
        expect(self.page.get_by_test_id("toast").filter(has_text=words).last).to_be_visible(timeout=PATIENCE)


def shows(card: Locator, *words: str) -> None:
    for each in words:
        expect(card).to_contain_text(each, timeout=PATIENCE)


def offers(card: Locator, *labels: str) -> None:
    for label in labels:
        expect(card.get_by_role("button", name=label, exact=True)).to_be_visible(timeout=PATIENCE)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """It is half past midnight: the hour at which "the next morning" is easily taken for the one that comes first."""
    demo = Demo(0, [sys.executable, str(Path(__file__).parents[2] / "app.py")], folder=tmp_path / "demo")
    clock = demo.sandbox.world.clock
    midnight = clock.now().astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
    clock.advance(midnight + timedelta(days=1, minutes=30) - clock.now())
    try:
        demo.start()
        yield demo
    finally:
        demo.stop()


@pytest.fixture
def console(page: Page, demo: Demo) -> Iterator[Console]:
    yield Console(page, demo)
    page.goto("about:blank")  # before the server goes: the page asks it all the time, and would complain


def test_from_a_complaint_to_the_next_morning(console: Console, demo: Demo) -> None:
    page = console.page
    console.open(CHEN)
    page.get_by_test_id("sample").select_option("not_delivered")
    page.get_by_test_id("complain").click()
    complaint = console.card("投诉 C1")
    shows(complaint, "待认领", "¥129.00", "物流一直停在分拨中心", "首次回复", "还剩约 24 小时", "还剩约 3 天", "****")
    expect(complaint.get_by_role("button", name="回复客户")).to_have_count(0)

    console.presses(complaint, "认领")
    console.toast("投诉 C1 由你处理")
    shows(complaint, "待回复", "陈晨")
    offers(complaint, "回复客户", "申请退款")
    _answers_with_a_template(console, complaint)

    console.presses(complaint, "申请退款")
    complaint.get_by_label("退款原因（客户会看到）").fill("物流确认丢件")
    console.presses(complaint, "提交申请")
    shows(complaint, "待审批")
    offers(complaint, "撤回退款申请")
    request = console.card("退款审批 ¥129.00")
    shows(request, "待审批", "陈晨", "物流确认丢件", "物流一直停在分拨中心")

    console.becomes(WANG)
    console.goes_to("运营助手")
    private = console.card("退款审批 ¥129.00")
    shows(private, "待审批", "陈晨", "物流确认丢件", "全额")
    expect(private.get_by_text("撤回申请")).to_have_count(0)
    console.presses(private, "同意")
    expect(page.get_by_test_id("dialog")).to_contain_text("¥129.00")
    assert not demo.sandbox.wechatpay.books().refunds
    page.get_by_test_id("confirm").click()
    shows(private, "已批准", "王芳 同意", "已退款")
    expect(private.locator(".card-button")).to_have_count(0)

    console.becomes(CHEN)
    console.goes_to("支付投诉群")
    shows(console.card("退款审批 ¥129.00"), "已批准", "王芳 同意", "已退款")
    complaint = console.card("投诉 C1")
    shows(complaint, "已完结", "已退款")
    expect(complaint.locator(".card-button")).to_have_count(0)
    shows(page.get_by_test_id("message").filter(has_text="已到账").last, "R1", "¥129.00")
    assert [refund.amount_fen for refund in demo.sandbox.wechatpay.books().refunds] == [12_900]

    _asks_around(console)
    _next_morning(console)


def _answers_with_a_template(console: Console, complaint: Locator) -> None:
    console.presses(complaint, "回复客户")
    box = complaint.get_by_label("回复内容（客户会看到）")
    expect(box).to_be_visible(timeout=PATIENCE)
    complaint.locator("select").select_option(label="致歉并核实")
    expect(box).to_have_value(re.compile("非常抱歉"), timeout=PATIENCE)
    console.presses(complaint, "发送回复")
    shows(complaint, "已回复", "协商记录 1 条")
    complaint.get_by_text("协商记录 1 条").click()
    shows(complaint, "非常抱歉")


def _asks_around(console: Console) -> None:
    console.says("/投诉")
    listing = console.card("投诉 · 未完结")
    shows(listing, "没有符合条件的投诉")
    console.says("/帮助")
    shows(console.card("我可以帮你做什么"), "/投诉", "/订阅")
    console.says("/投速")
    shows(console.page.get_by_test_id("message").last, "/投诉")
    console.becomes(ZHAO)
    console.goes_to("支付投诉群")
    console.says("/audit C1")
    shows(
        console.card("审计 C1"),
        "收到投诉 C1", "陈晨 认领了投诉 C1", "陈晨 为投诉 C1 申请退款 R1", "王芳 同意了 A1", "退款 R1 ¥129.00 已到账",
        "投诉 C1 已完结",
    )  # fmt: skip


def _next_morning(console: Console) -> None:
    """By the panel, at whatever hour this runs: what came in after midnight belongs to the digest of the day after."""
    console.page.get_by_test_id("advance-9").click()
    digest = console.card("日报")
    shows(digest, "新投诉", "1 笔，共 ¥129.00", "近 7 天新投诉", "未完结")
    chart = digest.get_by_role("img", name=re.compile("近 7 天新投诉"))
    expect(chart).to_be_visible(timeout=PATIENCE)
    expect(chart.locator("[data-drawn]")).to_have_count(1, timeout=PATIENCE)


def test_by_keyboard_on_a_phone(console: Console, demo: Demo) -> None:
    """Claimed and answered without a mouse; nothing is wider than the screen, in either language."""
    page = console.page
    page.set_viewport_size({"width": 390, "height": 780})
    console.open(LI, panel=False)
    demo.sandbox.wechatpay.complain_with_sample(MERCHANT, "wrong_size")
    complaint = console.card("投诉 C1")
    shows(complaint, "待认领")
    _press_by_keyboard(page, complaint, "认领")
    offers(complaint, "回复客户")
    _no_wider_than_the_screen(page)
    _press_by_keyboard(page, complaint, "回复客户")
    box = complaint.get_by_label("回复内容（客户会看到）")
    expect(box).to_be_visible(timeout=PATIENCE)
    _no_wider_than_the_screen(page)
    box.focus()
    page.keyboard.type("您好，马上为您补差价。")
    _press_by_keyboard(page, complaint, "发送回复")
    shows(complaint, "已回复", "李雷")
    page.goto(f"{page.url}&lang=en")
    english = console.card("Complaint C1")
    shows(english, "Replied", "History (1)", "First reply")
    _no_wider_than_the_screen(page)


def _press_by_keyboard(page: Page, card: Locator, label: str) -> None:
    """Tab on to the button, as somebody without a mouse does, and press it."""
    button = card.get_by_role("button", name=label, exact=True)
    expect(button).to_be_visible(timeout=PATIENCE)
    for _ in range(60):
        if button.evaluate("node => node === document.activeElement"):
            page.keyboard.press("Enter")
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab never came to {label}")


def _no_wider_than_the_screen(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator(".messages").evaluate("box => box.scrollWidth <= box.clientWidth")
