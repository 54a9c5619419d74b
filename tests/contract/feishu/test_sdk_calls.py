"""Every Feishu call of the sandbox, made by the vendor's Python SDK. The SDK is untyped at its edges, hence Any."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

import pytest

from sandbox.feishu.platform import Feishu
from sandbox.server import Sandbox
from tests.contract.feishu.conftest import Company, button, card

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01"


def send(lark: Any, client: Any, chat_id: str, content: object, msg_type: str = "text", uuid: str = "") -> Any:
    im = lark.im.v1
    body = im.CreateMessageRequestBody.builder().receive_id(chat_id).msg_type(msg_type).content(json.dumps(content))
    body = body.uuid(uuid) if uuid else body
    request = im.CreateMessageRequest.builder().receive_id_type("chat_id").request_body(body.build()).build()
    return client.im.v1.message.create(request)


@pytest.fixture
def lark_im(lark: Any) -> Any:
    return lark.im.v1


def test_token_lives_two_hours_and_is_renewed_late(lark: Any, client: Any, feishu: Feishu, company: Company) -> None:
    assert send(lark, client, company.group.chat_id, {"text": "一"}).success()
    first = set(feishu.store.tokens)
    feishu.world.clock.advance(timedelta(minutes=89))
    lark.core.token.manager.TokenManager.cache = lark.core.cache.LocalCache()
    assert send(lark, client, company.group.chat_id, {"text": "二"}).success()
    assert set(feishu.store.tokens) == first
    feishu.world.clock.advance(timedelta(minutes=2))
    lark.core.token.manager.TokenManager.cache = lark.core.cache.LocalCache()
    assert send(lark, client, company.group.chat_id, {"text": "三"}).success()
    assert len(feishu.store.tokens) == 2


def test_expired_token_is_told_by_code(lark: Any, client: Any, feishu: Feishu, company: Company) -> None:
    assert send(lark, client, company.group.chat_id, {"text": "一"}).success()
    feishu.world.clock.advance(timedelta(hours=3))
    answer = send(lark, client, company.group.chat_id, {"text": "二"})
    assert (answer.code, answer.raw.status_code) == (99991663, 400)


def test_wrong_secret(lark: Any, client: Any, feishu: Feishu, company: Company) -> None:
    feishu.app.secret = "changed"
    with pytest.raises(lark.exception.ObtainAccessTokenException) as error:
        send(lark, client, company.group.chat_id, {"text": "x"})
    assert error.value.code == 10015


def test_create_and_get(lark: Any, lark_im: Any, client: Any, company: Company) -> None:
    text = {"text": f'好 <at user_id="{company.zhang.open_id}">张三</at>'}
    sent = send(lark, client, company.group.chat_id, text)
    assert sent.success(), sent.msg
    assert sent.get_log_id()
    assert sent.data.message_id.startswith("om_")
    request = lark_im.GetMessageRequest.builder().message_id(sent.data.message_id).build()
    (item,) = client.im.v1.message.get(request).data.items
    assert json.loads(item.body.content) == {"text": "好 @_user_1"}
    assert [(one.key, one.id, one.name) for one in item.mentions] == [("@_user_1", company.zhang.open_id, "张三")]
    assert (item.sender.id_type, item.sender.sender_type, item.deleted) == ("app_id", "app", False)


def test_same_uuid_posts_once_within_an_hour(lark: Any, client: Any, feishu: Feishu, company: Company) -> None:
    first = send(lark, client, company.group.chat_id, {"text": "x"}, uuid="once")
    again = send(lark, client, company.group.chat_id, {"text": "x"}, uuid="once")
    assert first.data.message_id == again.data.message_id
    feishu.world.clock.advance(timedelta(minutes=61))
    later = send(lark, client, company.group.chat_id, {"text": "x"}, uuid="once")
    assert later.data.message_id != first.data.message_id


def test_reply_and_thread(lark: Any, lark_im: Any, client: Any, company: Company) -> None:
    root = send(lark, client, company.group.chat_id, {"text": "根"}).data.message_id

    def reply(to: str, threaded: bool) -> Any:
        body = lark_im.ReplyMessageRequestBody.builder().msg_type("text").content('{"text":"回"}')
        body = body.reply_in_thread(threaded).uuid(f"{to}{threaded}"[-40:]).build()
        request = lark_im.ReplyMessageRequest.builder().message_id(to).request_body(body).build()
        return client.im.v1.message.reply(request)

    first = reply(root, False)
    assert (first.data.root_id, first.data.parent_id, first.data.thread_id) == (root, root, None)
    second = reply(first.data.message_id, True)
    assert (second.data.root_id, second.data.parent_id) == (root, first.data.message_id)
    assert second.data.thread_id.startswith("omt_")
    third = reply(second.data.message_id, False)
    assert third.data.thread_id == second.data.thread_id


def test_patch_put_delete(lark: Any, lark_im: Any, client: Any, feishu: Feishu, company: Company) -> None:
    before, after = card(button("接单", {"a": 1})), card(button("已接", {"a": 2}))
    message_id = send(lark, client, company.group.chat_id, before, "interactive").data.message_id
    body = lark_im.PatchMessageRequestBody.builder().content(json.dumps(after)).build()
    patch = lark_im.PatchMessageRequest.builder().message_id(message_id).request_body(body).build()
    assert client.im.v1.message.patch(patch).success()
    assert feishu.store.message(message_id).content == after

    text_id = send(lark, client, company.group.chat_id, {"text": "旧"}).data.message_id
    edit_body = lark_im.UpdateMessageRequestBody.builder().msg_type("text").content('{"text":"新"}').build()
    edit = lark_im.UpdateMessageRequest.builder().message_id(text_id).request_body(edit_body).build()
    edited = client.im.v1.message.update(edit)
    assert edited.success()
    assert edited.data.updated

    delete = lark_im.DeleteMessageRequest.builder().message_id(text_id).build()
    assert client.im.v1.message.delete(delete).success()
    edit = lark_im.UpdateMessageRequest.builder().message_id(text_id).request_body(edit_body).build()
    assert client.im.v1.message.update(edit).code == 230011


def test_card_reads_back_rendered_or_original(lark: Any, lark_im: Any, client: Any, company: Company) -> None:
    original = card({"tag": "markdown", "content": "欢迎"})
    message_id = send(lark, client, company.group.chat_id, original, "interactive").data.message_id

    def read(kind: str) -> Any:
        request = lark_im.GetMessageRequest.builder().message_id(message_id).build()
        if kind:
            request.add_query("card_msg_content_type", kind)
        return json.loads(client.im.v1.message.get(request).data.items[0].body.content)

    assert "schema" not in read("")
    assert read("user_card_content") == original


def test_list_pages_in_order(lark: Any, lark_im: Any, client: Any, company: Company) -> None:
    sent = [send(lark, client, company.group.chat_id, {"text": str(n)}).data.message_id for n in range(3)]
    seen: list[str] = []
    token = None
    while True:
        request = lark_im.ListMessageRequest.builder().container_id_type("chat").container_id(company.group.chat_id)
        request = request.page_size(2).sort_type("ByCreateTimeDesc")
        request = request.page_token(token) if token else request
        page = client.im.v1.message.list(request.build())
        seen += [item.message_id for item in page.data.items]
        if not page.data.has_more:
            break
        token = page.data.page_token
    assert seen == sent[::-1]


def test_reactions(lark: Any, lark_im: Any, client: Any, company: Company) -> None:
    message_id = send(lark, client, company.group.chat_id, {"text": "x"}).data.message_id
    emoji = lark_im.Emoji.builder().emoji_type("OK").build()
    body = lark_im.CreateMessageReactionRequestBody.builder().reaction_type(emoji).build()
    create = lark_im.CreateMessageReactionRequest.builder().message_id(message_id).request_body(body).build()
    made = client.im.v1.message_reaction.create(create)
    assert made.data.reaction_type.emoji_type == "OK"
    listing = lark_im.ListMessageReactionRequest.builder().message_id(message_id).build()
    (listed,) = client.im.v1.message_reaction.list(listing).data.items
    assert listed.reaction_id == made.data.reaction_id
    delete = lark_im.DeleteMessageReactionRequest.builder().message_id(message_id).reaction_id(made.data.reaction_id)
    assert client.im.v1.message_reaction.delete(delete.build()).success()
    listing = lark_im.ListMessageReactionRequest.builder().message_id(message_id).build()
    assert not client.im.v1.message_reaction.list(listing).data.items


def test_urgent(lark: Any, lark_im: Any, client: Any, feishu: Feishu, company: Company) -> None:
    message_id = send(lark, client, company.group.chat_id, {"text": "快"}).data.message_id
    people = [company.zhang.open_id, "ou_nobody"]
    request = lark_im.UrgentAppMessageRequest.builder().message_id(message_id).user_id_type("open_id")
    request = request.request_body(lark_im.UrgentReceivers.builder().user_id_list(people).build()).build()
    answer = client.im.v1.message.urgent_app(request)
    assert answer.data.invalid_user_id_list == ["ou_nobody"]
    shown = feishu.snapshot(company.zhang.open_id)["chats"][0]["messages"][0]
    assert shown["urgent"]
    feishu.user_reads(company.zhang.open_id, company.group.chat_id)
    assert not feishu.snapshot(company.zhang.open_id)["chats"][0]["messages"][0]["urgent"]


def test_images_and_files(lark: Any, lark_im: Any, client: Any, company: Company) -> None:
    picture = io.BytesIO(PNG)
    picture.name = "a.png"
    image_body = lark_im.CreateImageRequestBody.builder().image_type("message").image(picture).build()
    uploaded = client.im.v1.image.create(lark_im.CreateImageRequest.builder().request_body(image_body).build())
    assert uploaded.success(), uploaded.msg
    image_key = uploaded.data.image_key
    assert send(lark, client, company.group.chat_id, {"image_key": image_key}, "image").success()
    got = client.im.v1.image.get(lark_im.GetImageRequest.builder().image_key(image_key).build())
    assert got.file.read() == PNG

    report = io.BytesIO("日期,金额\n".encode())
    report.name = "日报.csv"
    file_body = lark_im.CreateFileRequestBody.builder().file_type("stream").file_name("日报.csv").file(report).build()
    made = client.im.v1.file.create(lark_im.CreateFileRequest.builder().request_body(file_body).build())
    file_key = made.data.file_key
    assert send(lark, client, company.group.chat_id, {"file_key": file_key}, "file").success()
    got = client.im.v1.file.get(lark_im.GetFileRequest.builder().file_key(file_key).build())
    assert got.file_name == "日报.csv"
    assert send(lark, client, company.group.chat_id, {"file_key": file_key}, "audio").code == 230055


def test_what_a_person_attached_is_a_message_resource(
    lark: Any, lark_im: Any, client: Any, feishu: Feishu, company: Company
) -> None:
    upload = feishu.user_uploads(company.zhang.open_id, PNG, "凭证.png", "image/png")
    message = feishu.user_sends(
        company.zhang.open_id, company.group.chat_id, msg_type="image", content={"image_key": upload.key}
    )
    request = lark_im.GetMessageResourceRequest.builder().message_id(message.message_id).file_key(upload.key)
    assert client.im.v1.message_resource.get(request.type("image").build()).file.read() == PNG
    own = client.im.v1.image.get(lark_im.GetImageRequest.builder().image_key(upload.key).build())
    assert own.code == 234008


def test_chats(lark: Any, lark_im: Any, client: Any, feishu: Feishu, company: Company) -> None:
    elsewhere = feishu.add_chat("别的群", [company.li], with_bot=False)
    listed = client.im.v1.chat.list(lark_im.ListChatRequest.builder().page_size(10).build())
    assert [item.chat_id for item in listed.data.items] == [company.group.chat_id]
    got = client.im.v1.chat.get(lark_im.GetChatRequest.builder().chat_id(company.group.chat_id).build())
    assert (got.data.name, got.data.chat_mode, got.data.user_count) == ("支付投诉群", "group", "2")
    members = lark_im.GetChatMembersRequest.builder().chat_id(company.group.chat_id).member_id_type("open_id").build()
    people = client.im.v1.chat_members.get(members).data.items
    assert {one.member_id for one in people} == {company.zhang.open_id, company.li.open_id}

    def inside(chat_id: str) -> Any:
        request = lark_im.IsInChatChatMembersRequest.builder().chat_id(chat_id).build()
        return client.im.v1.chat_members.is_in_chat(request).data.is_in_chat

    assert inside(company.group.chat_id) is True
    assert inside(elsewhere.chat_id) is False
    made = lark_im.CreateChatRequestBody.builder().name("新群").user_id_list([company.li.open_id]).build()
    created = client.im.v1.chat.create(lark_im.CreateChatRequest.builder().request_body(made).build())
    assert send(lark, client, created.data.chat_id, {"text": "在"}).success()


def test_people(lark: Any, client: Any, feishu: Feishu, company: Company) -> None:
    contact = lark.contact.v3
    get = contact.GetUserRequest.builder().user_id(company.zhang.open_id).user_id_type("open_id").build()
    user = client.contact.v3.user.get(get).data.user
    assert (user.name, user.en_name, user.user_id, user.status.is_resigned) == ("张三", "Zhang San", "u0001", False)

    by_mail = contact.BatchGetIdUserRequestBody.builder().emails(["zhang@example.com", "no@example.com"]).build()
    request = contact.BatchGetIdUserRequest.builder().user_id_type("open_id").request_body(by_mail).build()
    found = client.contact.v3.user.batch_get_id(request).data.user_list
    assert [(one.email, one.user_id) for one in found] == [
        ("zhang@example.com", company.zhang.open_id),
        ("no@example.com", None),
    ]
    batch = contact.BatchUserRequest.builder().user_ids([company.zhang.open_id, company.li.open_id])
    items = client.contact.v3.user.batch(batch.user_id_type("open_id").build()).data.items
    assert [one.name for one in items] == ["张三", "李四"]
    root = contact.FindByDepartmentUserRequest.builder().department_id("0").page_size(50).build()
    assert len(client.contact.v3.user.find_by_department(root).data.items) == 2
    scope = client.contact.v3.scope.list(contact.ListScopeRequest.builder().build())
    assert scope.data.department_ids == ["0"]

    feishu.app.contact_scope = {company.li.open_id}
    get = contact.GetUserRequest.builder().user_id(company.zhang.open_id).user_id_type("open_id").build()
    assert client.contact.v3.user.get(get).code == 41050
    root = contact.FindByDepartmentUserRequest.builder().department_id("0").build()
    assert client.contact.v3.user.find_by_department(root).code == 40004


def generic(lark: Any, client: Any, method: str, uri: str, body: object = None) -> dict[str, Any]:
    builder = lark.BaseRequest.builder().http_method(lark.HttpMethod[method]).uri(uri)
    builder = builder.token_types({lark.AccessTokenType.TENANT})
    answer = client.request((builder.body(body) if body is not None else builder).build())
    content: dict[str, Any] = json.loads(answer.raw.content)
    return content


def test_calls_the_sdk_does_not_name(lark: Any, client: Any, box: Sandbox, company: Company) -> None:
    info = generic(lark, client, "GET", "/open-apis/bot/v3/info")
    assert "data" not in info
    assert info["bot"]["open_id"] == box.feishu.app.bot_open_id
    shown = {"chat_id": company.group.chat_id, "open_id": company.li.open_id, "msg_type": "interactive"}
    sent = generic(lark, client, "POST", "/open-apis/ephemeral/v1/send", {**shown, "card": card()})
    assert sent["code"] == 0
    assert box.feishu.snapshot(company.zhang.open_id)["chats"][0]["messages"] == []
    assert box.feishu.snapshot(company.li.open_id)["chats"][0]["messages"][0]["only_for_me"]
    gone = {"message_id": sent["data"]["message_id"]}
    assert generic(lark, client, "POST", "/open-apis/ephemeral/v1/delete", gone)["code"] == 0
    assert generic(lark, client, "POST", "/open-apis/ephemeral/v1/delete", gone)["code"] == 18051


def test_scopes(lark: Any, client: Any, feishu: Feishu, company: Company) -> None:
    application = lark.application.v6
    scopes = client.application.v6.scope.list(application.ListScopeRequest.builder().build()).data.scopes
    assert {"im:message:send_as_bot"} <= {one.scope_name for one in scopes if one.grant_status == 1}
    feishu.app.scopes -= {"im:message", "im:message:send_as_bot"}
    answer = send(lark, client, company.group.chat_id, {"text": "x"})
    assert answer.code == 99991672
    assert answer.error["permission_violations"][0]["subject"] == "im:message"
