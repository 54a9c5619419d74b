"""The page itself: it loads cleanly, shows hostile text as text, works by keyboard, on a phone, in two languages."""

from __future__ import annotations

import re
import time

from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.console_world import GROUP, LI, MERCHANT, WU, ZHOU, ConsoleWorld, button, card, wait_until

HOSTILE = (
    "<script>window.broken=1</script><img src=x onerror='window.broken=1'>"
    "[link](javascript:window.broken=1) <a href='javascript:1'>x</a> **b"
)


def test_the_page_loads_and_shows_the_chat(world: ConsoleWorld, page: Page) -> None:
    world.feishu.user_sends(WU, GROUP, "早上好", mention_bot=False)
    world.post(card({"tag": "markdown", "content": "**你好**"}, title="今日汇总"))
    answer = page.goto(world.address())
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    expect(page.get_by_text("早上好")).to_be_visible()
    expect(page.locator(".card").get_by_role("heading", name="今日汇总")).to_be_visible()
    expect(page.locator(".card strong")).to_have_text("你好")
    expect(page.get_by_test_id("panel")).to_be_hidden()


def test_messages_arrive_without_a_jump(world: ConsoleWorld, page: Page) -> None:
    for number in range(30):
        world.feishu.user_sends(WU, GROUP, f"第 {number} 条\n第二行", mention_bot=False)
    page.goto(world.address())
    expect(page.locator(".message-list").get_by_text("第 29 条")).to_be_in_viewport()
    page.locator(".messages").evaluate("box => { box.scrollTop = 100 }")
    page.evaluate("window.first = document.querySelector('[data-testid=message]')")
    world.feishu.user_sends(WU, GROUP, "新的一条", mention_bot=False)
    expect(page.get_by_role("button", name="有新消息")).to_be_visible()
    assert page.locator(".messages").evaluate("box => box.scrollTop") == 100
    assert page.evaluate("window.first === document.querySelector('[data-testid=message]')")
    page.get_by_role("button", name="有新消息").click()
    expect(page.get_by_text("新的一条").first).to_be_in_viewport()
    world.feishu.user_sends(WU, GROUP, "跟着到底", mention_bot=False)
    expect(page.locator(".message-list").get_by_text("跟着到底")).to_be_in_viewport()


def test_hostile_text_is_shown_as_text(world: ConsoleWorld, page: Page) -> None:
    world.feishu.user_sends(WU, GROUP, HOSTILE, mention_bot=False)
    hostile = card(
        {"tag": "markdown", "content": HOSTILE},
        {"tag": "div", "text": {"tag": "plain_text", "content": HOSTILE}},
        button(HOSTILE),
        title=HOSTILE,
    )
    escaped = {"tag": "markdown", "content": "&#60;at id=all&#62;&#60;/at&#62; &#42;&#42;x&#42;&#42;"}
    world.post(card(escaped))
    world.post(hostile)
    page.goto(world.address())
    expect(page.locator(".card")).to_have_count(2)
    expect(page.get_by_test_id("text")).to_contain_text("<script>window.broken=1</script><img src=x onerror=")
    expect(page.locator(".card-title").last).to_have_text(HOSTILE)
    expect(page.locator(".card-button")).to_have_text(HOSTILE)
    expect(page.locator(".card .md").first).to_have_text("<at id=all></at> **x**")
    assert page.locator("[data-mention]").count() == 0
    assert page.locator(".message-list a").count() == 0
    assert page.locator("script").count() == 1
    assert page.evaluate("window.broken") is None


def test_cards_full_of_marks_are_drawn_in_time(world: ConsoleWorld, page: Page) -> None:
    pieces = ["<b>", "**a", "[", "`", "<font color='red'>", "> ", "| a |\n|--|\n", "&#", "~~x_", "[a](", "<at id="]
    for number, piece in enumerate(pieces):
        if number and number % 4 == 0:
            time.sleep(1.05)  # five messages a second and chat is what Feishu takes
        world.post(card({"tag": "markdown", "content": piece * (20_000 // len(piece))}, title=f"第 {number} 张"))
    started = time.monotonic()
    page.goto(world.address())
    expect(page.locator(".card-title").last).to_have_text(f"第 {len(pieces) - 1} 张")
    assert time.monotonic() - started < 8


def test_it_speaks_english_when_the_browser_does_and_remembers(world: ConsoleWorld, chromium: Browser) -> None:
    title = {"tag": "plain_text", "content": "投诉", "i18n_content": {"zh_cn": "投诉", "en_us": "Complaint"}}
    shown = card({"tag": "markdown", "content": "x"})
    shown["header"]["title"] = title
    world.post(shown)
    context = chromium.new_context(locale="en-US", color_scheme="dark")
    page = context.new_page()
    page.goto(world.address())
    expect(page.locator(".card-title")).to_have_text("Complaint")
    expect(page.get_by_role("heading", name="Messages")).to_be_visible()
    page.get_by_role("button", name="切换到中文").click()
    expect(page.locator(".card-title")).to_have_text("投诉")
    page.reload()
    expect(page.get_by_role("heading", name="消息")).to_be_visible()
    context.close()


def test_a_phone_sees_one_column_and_never_scrolls_sideways(world: ConsoleWorld, page: Page) -> None:
    wide = {
        "tag": "table",
        "columns": [{"name": f"c{i}", "display_name": f"第 {i} 列", "data_type": "text"} for i in range(8)],
        "rows": [{f"c{i}": "很长的内容" * 3 for i in range(8)}],
    }
    world.post(card({"tag": "markdown", "content": "长" * 300 + "x" * 300}, wide, button("按" * 60)))
    world.feishu.user_sends(WU, GROUP, "w" * 500, mention_bot=False)
    page.set_viewport_size({"width": 390, "height": 780})
    page.goto(f"{world.sandbox.url}/?me={ZHOU}")
    row = page.locator(f"[data-chat-id={GROUP}][data-testid=chat-row]")
    expect(row).to_be_visible()
    expect(page.get_by_test_id("composer")).to_be_hidden()
    wait_until(lambda: page.title().startswith("(2)"))
    row.click()
    expect(page.get_by_test_id("composer")).to_be_visible()
    expect(row).to_be_hidden()
    page.get_by_test_id("panel-open").click()
    expect(page.get_by_test_id("panel")).to_be_visible()
    for tab in ("faults", "books", "calls", "happen"):
        page.get_by_test_id(f"tab-{tab}").click()
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert page.locator(".messages").evaluate("box => box.scrollWidth <= box.clientWidth")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("panel")).to_be_hidden()
    page.get_by_test_id("back").click()
    expect(row).to_be_visible()


def test_writing_replying_editing_and_recalling(world: ConsoleWorld, page: Page) -> None:
    page.goto(world.address())
    box = page.get_by_test_id("composer")
    box.fill("/投诉 <b>粗</b>")
    box.press("Enter")
    wait_until(lambda: len(world.texts) == 1)
    assert "@_user_1 /投诉" in world.texts[0]["content"]
    page.get_by_test_id("mention-toggle").click()
    box.fill("只给人看")
    box.press("Enter")
    message = page.get_by_test_id("message").filter(has_text="只给人看")
    expect(message).to_be_visible()
    assert len(world.texts) == 1
    message.get_by_role("button", name=re.compile("更多操作")).click()
    page.get_by_role("menuitem", name="编辑").click()
    expect(box).to_have_value("只给人看")
    box.fill("改过了")
    box.press("Enter")
    expect(page.get_by_text("已编辑")).to_be_visible()
    edited = page.get_by_test_id("message").filter(has_text="改过了")
    edited.get_by_role("button", name=re.compile("更多操作")).click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menu")).to_have_count(0)
    edited.get_by_role("button", name=re.compile("更多操作")).click()
    page.get_by_role("menuitem", name="撤回").click()
    expect(page.get_by_text("你撤回了一条消息")).to_be_visible()


def test_another_person_sees_their_own_chats_and_unread(world: ConsoleWorld, page: Page) -> None:
    page.goto(world.address())
    page.get_by_test_id("who").select_option(LI)
    page.get_by_test_id("chat-row").filter(has_text="支付投诉群").click()
    # While another chat is open: one that is looked at has nothing unread.
    world.post(card({"tag": "markdown", "content": "请审批"}, title="退款申请"), to=LI)
    private = page.get_by_test_id("chat-row").filter(has_text="机器人")
    expect(private).to_have_attribute("data-unread", "1")
    private.click()
    expect(page.locator(".card-title")).to_have_text("退款申请")
    expect(private).to_have_attribute("data-unread", "0")
    assert f"me={LI}" in page.url


def test_no_chat_of_the_person_before_can_be_opened_after_a_change(world: ConsoleWorld, page: Page) -> None:
    for each in (ZHOU, LI):
        world.post(card({"tag": "markdown", "content": f"给 {each}"}, title="退款申请"), to=each)
    page.goto(world.address())
    private = page.get_by_test_id("chat-row").filter(has_text="机器人")
    expect(private).to_be_visible()
    held: list[Route] = []
    page.route(re.compile(f"/console/state.*me={LI}"), lambda route: held.append(route), times=1)
    page.get_by_test_id("who").select_option(LI)
    expect(page.get_by_test_id("chat-row")).to_have_count(0)
    held.pop().continue_()
    private.click()
    expect(page.locator(".card")).to_contain_text(f"给 {LI}")


def test_the_private_chat_is_there_before_the_first_word(world: ConsoleWorld, page: Page) -> None:
    page.goto(world.address())
    private = page.get_by_test_id("chat-row").filter(has_text="机器人")
    private.click()
    expect(private).to_have_attribute("aria-current", "true")
    page.get_by_test_id("composer").fill("/帮助")
    page.get_by_test_id("composer").press("Enter")
    wait_until(lambda: len(world.texts) == 1)
    assert world.texts[0]["chat_type"] == "p2p"


def test_the_panel_makes_things_happen(world: ConsoleWorld, page: Page) -> None:
    page.goto(world.address(panel="1"))
    page.get_by_test_id("sample").select_option("at_everybody")
    page.get_by_test_id("complain").click()
    wait_until(lambda: len(world.pay.complaints) == 1)
    page.get_by_test_id("sample").select_option("")
    page.get_by_test_id("complaint-text").fill("自己写的")
    page.get_by_test_id("complaint-amount").fill("12.5")
    page.get_by_test_id("complaint-type").select_option("REFUND")
    page.get_by_test_id("complain").click()
    wait_until(lambda: len(world.pay.complaints) == 2)
    own = list(world.pay.complaints.values())[1]
    assert (own.text, own.merchant_id, own.payment and own.payment.amount_fen) == ("自己写的", MERCHANT, 1250)
    page.get_by_test_id("later-again").click()
    expect(page.get_by_test_id("toast").last).to_contain_text("投诉尚未处理完成")
    page.get_by_test_id("later-platform").click()
    wait_until(lambda: any(one.platform_assists for one in world.pay.complaints.values()))
    page.get_by_test_id("tab-books").click()
    expect(page.get_by_test_id("total-complaints")).to_have_text("2")
    page.get_by_test_id("tab-faults").click()
    page.get_by_test_id("fault-platform").select_option("wechatpay")
    page.get_by_test_id("fault-kind").select_option("down")
    page.get_by_test_id("fault-add").click()
    wait_until(lambda: len(world.sandbox.world.faults.active()) == 1)
    page.get_by_test_id("fault-clear").click()
    wait_until(lambda: not world.sandbox.world.faults.active())
    page.get_by_test_id("tab-calls").click()
    expect(page.get_by_test_id("calls")).to_contain_text("/open-apis/auth/v3/tenant_access_token/internal")
    before = world.sandbox.world.clock.offset
    page.get_by_test_id("advance-4h").click()
    wait_until(lambda: (world.sandbox.world.clock.offset - before).total_seconds() == 4 * 3600)
    expect(page.get_by_test_id("clock-offset")).to_contain_text("4 h")
