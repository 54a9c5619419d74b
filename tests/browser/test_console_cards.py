"""Cards in the console: what is typed and clicked arrives as Feishu would send it."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.console_world import LI, ConsoleWorld, button, calls_back, card, plain


def refund_form(amount: str = "", **submit: object) -> dict[str, Any]:
    options = [{"text": plain("质量"), "value": "quality"}, {"text": plain("物流"), "value": "shipping"}]
    return {
        "tag": "form",
        "name": "refund",
        "elements": [
            {"tag": "input", "name": "amount", "required": True, "label": plain("金额"), "default_value": amount},
            {"tag": "input", "name": "note", "input_type": "multiline_text", "label": plain("说明"), "max_length": 20},
            {
                "tag": "select_static",
                "name": "reason",
                "required": True,
                "placeholder": plain("原因"),
                "options": options,
            },
            {"tag": "multi_select_static", "name": "why", "placeholder": plain("标签"), "options": options},
            {"tag": "select_person", "name": "approver", "placeholder": plain("审批人"), "options": []},
            {"tag": "date_picker", "name": "day", "placeholder": plain("日期"), "initial_date": "2026-11-23"},
            {"tag": "picker_datetime", "name": "when", "placeholder": plain("何时")},
            {"tag": "checker", "name": "tell", "text": plain("通知用户"), "checked": True},
            {
                "tag": "column_set",
                "columns": [
                    {"tag": "column", "elements": [button("提交", name="ok", form_action_type="submit", **submit)]},
                    {
                        "tag": "column",
                        "elements": [
                            {"tag": "button", "name": "no", "text": plain("重置"), "form_action_type": "reset"}
                        ],
                    },
                ],
            },
        ],
    }


def open_card(world: ConsoleWorld, page: Page, *elements: dict[str, Any]) -> str:
    message_id = world.post(card(*elements))
    page.goto(world.address())
    expect(page.locator(f"[data-message-id={message_id}] .card")).to_be_visible()
    return message_id


def answered(world: ConsoleWorld, page: Page, count: int) -> None:
    """So many clicks were made and the last one has its answer: until then the card takes no other one."""
    world.wait_for_clicks(count)
    expect(page.locator(".card [aria-busy=true]")).to_have_count(0)


def test_a_form_sends_what_was_filled_in(world: ConsoleWorld, page: Page) -> None:
    question = {"title": plain("确认退款"), "text": plain("将提交审批")}
    open_card(world, page, refund_form(confirm=question))
    submit = page.get_by_role("button", name="提交")
    submit.click()
    expect(page.get_by_test_id("toast")).to_have_attribute("data-kind", "error")
    expect(page.locator(".card").get_by_label("金额")).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".card").get_by_label("金额")).to_be_focused()
    page.locator(".card").get_by_label("金额").fill("12.50")
    page.locator(".card").get_by_label("说明").fill("x" * 21)
    page.locator(".card").get_by_label("原因").select_option(label="质量")
    page.locator(".card").get_by_text("标签").click()
    page.locator(".card").get_by_label("质量", exact=True).check()
    page.locator(".card").get_by_label("物流", exact=True).check()
    page.locator(".card").get_by_label("审批人").select_option(label="李娜")
    page.locator(".card").get_by_label("何时").fill("2026-12-01T09:30")
    page.locator(".card").get_by_label("通知用户").uncheck()
    submit.click()
    expect(page.get_by_text("最多 20 个字符")).to_be_visible()
    page.locator(".card").get_by_label("说明").fill("两行\n<b>")
    submit.click()
    expect(page.get_by_role("dialog")).to_contain_text("将提交审批")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert world.clicks == []
    submit.click()
    page.get_by_test_id("confirm").click()
    (action,) = world.wait_for_clicks(1)
    assert action["name"] == "ok"
    assert action["tag"] == "button"
    assert action["value"] == {"act": "提交"}
    assert action["form_value"] == {
        "amount": "12.50",
        "note": "两行\n<b>",
        "reason": "quality",
        "why": ["quality", "shipping"],
        "approver": LI,
        "day": "2026-11-23 +0800",
        "when": "2026-12-01 09:30 +0800",
        "tell": False,
    }


def test_reset_brings_the_first_values_back(world: ConsoleWorld, page: Page) -> None:
    open_card(world, page, refund_form("9.90"))
    page.locator(".card").get_by_label("金额").fill("1")
    page.locator(".card").get_by_label("原因").select_option("quality")
    page.get_by_role("button", name="重置").click()
    expect(page.locator(".card").get_by_label("金额")).to_have_value("9.90")
    expect(page.locator(".card").get_by_label("原因")).to_have_value("")
    assert world.clicks == []


def test_what_is_being_typed_survives_a_redrawn_card(world: ConsoleWorld, page: Page) -> None:
    message_id = open_card(world, page, {"tag": "markdown", "content": "一"}, refund_form("1.00"))
    page.locator(".card").get_by_label("说明").fill("还没写完")
    page.locator(".card").get_by_label("金额").fill("5")
    page.locator(".card").get_by_label("金额").press("Home")
    world.redraw(message_id, card({"tag": "markdown", "content": "二"}, refund_form("1.00")))
    expect(page.locator(".card .md")).to_have_text("二")
    expect(page.locator(".card").get_by_label("金额")).to_be_focused()
    page.keyboard.type("7")
    expect(page.locator(".card").get_by_label("金额")).to_have_value("75")
    expect(page.locator(".card").get_by_label("说明")).to_have_value("还没写完")
    world.redraw(message_id, card({"tag": "markdown", "content": "三"}, refund_form("2.00")))
    expect(page.locator(".card .md")).to_have_text("三")
    expect(page.locator(".card").get_by_label("金额")).to_have_value("2.00")
    expect(page.locator(".card").get_by_label("说明")).to_have_value("还没写完")


def test_a_form_that_was_sent_starts_anew_when_the_card_is_redrawn(world: ConsoleWorld, page: Page) -> None:
    fields = {"tag": "input", "name": "words", "placeholder": plain("回复")}
    form = {"tag": "form", "name": "reply", "elements": [fields, button("发出", name="ok", form_action_type="submit")]}
    fresh = card({"tag": "markdown", "content": "已回复"}, form)
    world.answer = lambda action: (200, {"card": {"type": "raw", "data": fresh}})
    open_card(world, page, form)
    page.locator(".card").get_by_label("回复").fill("您好")
    page.get_by_role("button", name="发出").click()
    expect(page.locator(".card .md")).to_have_text("已回复")
    expect(page.locator(".card").get_by_label("回复")).to_have_value("")
    assert world.clicks[0]["form_value"] == {"words": "您好"}


def test_a_card_is_clicked_with_the_keyboard_alone(world: ConsoleWorld, page: Page) -> None:
    done = card({"tag": "markdown", "content": "已领取"})
    toast = {"type": "success", "content": "好", "i18n": {"zh_cn": "领取成功", "en_us": "Claimed"}}
    world.answer = lambda action: (200, {"toast": toast, "card": {"type": "raw", "data": done}})
    open_card(world, page, button("领取", confirm={"title": plain("领取?"), "text": plain("由你负责")}))
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "领取":
            break
    else:
        raise AssertionError("the button cannot be reached with Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("toast")).to_have_text("✓领取成功")
    expect(page.locator(".card .md")).to_have_text("已领取")
    assert world.clicks[0]["value"] == {"act": "领取"}


def test_a_second_press_while_the_first_is_under_way_sends_nothing(world: ConsoleWorld, page: Page) -> None:
    def slow(action: dict[str, Any]) -> tuple[int, object]:
        time.sleep(0.8)
        return 200, {}

    world.answer = slow
    open_card(world, page, button("领取"))
    page.get_by_role("button", name="领取").dblclick()
    expect(page.get_by_role("button", name="领取")).to_have_attribute("aria-busy", "true")
    expect(page.get_by_role("button", name="领取")).to_have_attribute("aria-busy", "false")
    assert len(world.clicks) == 1


def test_the_clients_own_error_codes_are_shown(world: ConsoleWorld, page: Page) -> None:
    world.answer = lambda action: (500, {})
    open_card(world, page, button("一"), button("二", disabled=True, disabled_tips=plain("请先领取")))
    page.get_by_role("button", name="一").click()
    expect(page.get_by_test_id("toast")).to_contain_text("出错了，请稍后重试 code: 200671")
    world.feishu.app.card_url = world.feishu.app.event_url = ""
    page.get_by_role("button", name="一").click()
    expect(page.get_by_test_id("toast").last).to_contain_text("code: 200340")
    page.get_by_role("button", name="二").click(force=True)
    expect(page.get_by_test_id("toast").last).to_contain_text("请先领取")
    assert len(world.clicks) == 1


def test_single_components_send_their_own_value(world: ConsoleWorld, page: Page) -> None:
    options = [{"text": plain("全部"), "value": "all"}, {"text": plain("我的"), "value": "mine"}]
    open_card(
        world,
        page,
        {"tag": "select_static", "placeholder": plain("筛选"), "options": options, "behaviors": calls_back(a=1)},
        {"tag": "input", "placeholder": plain("搜索"), "behaviors": calls_back(a=2)},
        {"tag": "picker_time", "placeholder": plain("几点"), "behaviors": calls_back(a=3)},
        {"tag": "checker", "text": plain("做完了"), "behaviors": calls_back(a=4)},
        {"tag": "overflow", "options": options, "behaviors": calls_back(a=5)},
        {
            "tag": "interactive_container",
            "behaviors": calls_back(a=6),
            "elements": [{"tag": "markdown", "content": "整块"}],
        },
        {
            "tag": "collapsible_panel",
            "header": {"title": plain("更多")},
            "elements": [button("里面")],
        },
    )
    page.locator(".card").get_by_label("筛选").select_option("mine")
    answered(world, page, 1)
    page.locator(".card").get_by_label("搜索").fill("C1024")
    page.locator(".card").get_by_label("搜索").press("Enter")
    answered(world, page, 2)
    page.locator(".card").get_by_label("几点").fill("08:30")
    answered(world, page, 3)
    page.locator(".card").get_by_label("做完了").check()
    answered(world, page, 4)
    page.get_by_role("button", name="更多", exact=True).click()
    page.get_by_role("menuitem", name="全部").click()
    answered(world, page, 5)
    page.get_by_text("整块").click()
    answered(world, page, 6)
    page.locator("summary").filter(has_text="更多").click()
    page.get_by_role("button", name="里面").click()
    clicks = world.wait_for_clicks(7)
    assert [one["value"] for one in clicks[:6]] == [{"a": number} for number in range(1, 7)]
    assert clicks[0]["option"] == "mine"
    assert clicks[1]["input_value"] == "C1024"
    assert clicks[2]["option"] == "08:30 +0800"
    assert clicks[3]["checked"] is True
    assert clicks[4]["option"] == "all"
    assert clicks[6]["value"] == {"act": "里面"}


def test_everything_else_on_a_card_is_drawn(world: ConsoleWorld, page: Page) -> None:
    rows = [{"name": f"C{number}", "money": 1234.5, "state": "处理中", "who": [LI]} for number in range(7)]
    columns = [
        {"name": "name", "display_name": "投诉", "data_type": "text"},
        {"name": "money", "display_name": "金额", "data_type": "number", "format": {"symbol": "¥", "precision": 2}},
        {"name": "state", "display_name": "状态", "data_type": "options"},
        {"name": "who", "display_name": "谁", "data_type": "persons"},
    ]
    text = (
        "# 大\n- 一\n  - 二\n\n> 引用\n\n| a | b |\n|--|--|\n| 1 | 2 |\n\n`c` ~~s~~ <at id=all></at> [x](https://e.com)"
    )
    open_card(
        world,
        page,
        {"tag": "markdown", "content": text},
        {"tag": "table", "columns": columns, "rows": rows},
        {"tag": "person_list", "persons": [{"id": LI}], "show_name": True},
        {
            "tag": "chart",
            "chart_spec": {"type": "bar", "data": {"values": [{"x": "一", "y": 3}]}, "xField": "x", "yField": "y"},
        },
    )
    shown = page.locator(".card")
    assert shown.locator(".card-unknown").count() == 0
    expect(shown.locator("blockquote")).to_have_text("引用")
    expect(shown.locator("li li")).to_have_text("二")
    expect(shown.locator("[data-mention=all]")).to_have_text("@所有人")
    expect(shown.get_by_role("link", name="x")).to_have_attribute("rel", "noopener noreferrer nofollow")
    expect(shown.get_by_text("¥1234.50").first).to_be_visible()
    expect(shown.get_by_text("C6")).to_be_hidden()
    shown.get_by_role("button", name="下一页").click()
    expect(shown.get_by_text("C6")).to_be_visible()
    expect(shown.locator("[data-drawn]")).to_be_visible()


def test_an_old_card_explains_itself(world: ConsoleWorld, page: Page) -> None:
    open_card(world, page, button("领取"))
    world.sandbox.world.clock.advance(timedelta(days=15))
    expect(page.locator(".card")).to_contain_text("卡片已超过 14 天")
    page.get_by_role("button", name="领取").click()
    expect(page.get_by_test_id("toast")).to_contain_text("14 天")
    assert world.clicks == []
