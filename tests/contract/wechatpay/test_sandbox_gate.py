"""Who is let in, what a request must look like, how answers are signed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sandbox_pay_kit import BareClient, Shop, code_of, open_shop, signature_is_good

from sandbox.faults import CallFault, Fault

NOTICES = "/v3/merchant-service/complaint-notifications"
ECHO = "/v3/security/echo"


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with open_shop() as running:
        yield running


@pytest.fixture
def client(shop: Shop) -> Iterator[BareClient]:
    made = BareClient(shop, shop.public)
    yield made
    made.close()


def test_a_right_request_is_answered_and_signed(shop: Shop, client: BareClient) -> None:
    answer = client.post(ECHO, {"echo_message": "你好"})
    assert answer.json() == {"echo_message": "你好"}
    assert answer.headers["Wechatpay-Serial"] == shop.public.platform_public_key_id
    assert answer.headers["Wechatpay-Signature-Type"] == "WECHATPAY2-SHA256-RSA2048"
    assert answer.headers["Request-ID"].endswith("-0")
    assert signature_is_good(answer.headers, answer.content, shop.public.platform_public_key_pem)


def test_sensitive_text_goes_there_and_back(shop: Shop, client: BareClient) -> None:
    pair = shop.public.public_key_pair
    assert pair is not None
    answer = client.post(ECHO, {"echo_message": "x", "encrypted_echo_message": pair.seal("银行卡")})
    assert shop.public.keys.unseal(answer.json()["encrypted_echo_message"]) == "银行卡"
    wrong = client.post(ECHO, {"echo_message": "x", "encrypted_echo_message": shop.public.keys.seal("别人的")})
    assert code_of(wrong) == (400, "PARAM_ERROR")


def test_the_switching_merchant_is_answered_under_the_key_it_names(shop: Shop) -> None:
    client = BareClient(shop, shop.switching)
    with_key = client.get(NOTICES + "?x=1", headers={"Wechatpay-Serial": shop.switching.platform_public_key_id})
    assert with_key.status_code == 400
    new = client.post(ECHO, {"echo_message": "x"})
    old = client.post(ECHO, {"echo_message": "x"}, without=("Wechatpay-Serial",))
    certificate = shop.pay.signing_certificate()
    assert new.headers["Wechatpay-Serial"] == shop.switching.platform_public_key_id
    assert old.headers["Wechatpay-Serial"] == certificate.id
    assert signature_is_good(old.headers, old.content, certificate.certificate_pem())
    assert not signature_is_good(old.headers, old.content, shop.switching.platform_public_key_pem)
    client.close()


@pytest.mark.parametrize("age", [301, -302])
def test_a_stale_or_early_request_is_refused(client: BareClient, age: int) -> None:
    answer = client.post(ECHO, {"echo_message": "x"}, age=age)
    assert code_of(answer) == (401, "SIGN_ERROR")
    assert "5分钟" in answer.json()["message"]


@pytest.mark.parametrize("age", [290, -290])
def test_a_request_within_five_minutes_is_taken(client: BareClient, age: int) -> None:
    assert client.post(ECHO, {"echo_message": "x"}, age=age).status_code == 200


def test_a_wrong_signature_is_told_what_the_platform_built(client: BareClient) -> None:
    answer = client.post(ECHO, {"echo_message": "x" * 50}, signed_body=b"{}")
    assert code_of(answer) == (401, "SIGN_ERROR")
    information = answer.json()["detail"]["sign_information"]
    assert (information["method"], information["url"]) == ("POST", ECHO)
    assert information["truncated_sign_message"].startswith(f"POST\n{ECHO}\n")
    assert information["sign_message_length"] > 100
    assert "Wechatpay-Signature" not in answer.headers
    assert not answer.headers["Request-ID"].endswith("-0")


@pytest.mark.parametrize(
    ("spoilt", "told"),
    [
        ({"authorization": ""}, "格式错误"),
        ({"authorization": "Bearer abc"}, "认证类型不正确"),
        ({"authorization": 'WECHATPAY2-SHA256-RSA2048 mchid="1900000109"'}, "格式错误"),
        ({"serial": "0" * 40}, "商户证书序列号有误"),
        ({"merchant_id": "1900000110"}, "商户证书序列号有误"),
        ({"merchant_id": "404"}, "商户证书序列号有误"),
    ],
)
def test_an_unproven_caller_is_refused(client: BareClient, spoilt: dict[str, str], told: str) -> None:
    answer = client.post(ECHO, {"echo_message": "x"}, **spoilt)
    assert code_of(answer) == (401, "SIGN_ERROR")
    assert told in answer.json()["message"]


@pytest.mark.parametrize("header", ["Accept", "User-Agent"])
def test_the_required_headers_are_required(client: BareClient, header: str) -> None:
    answer = client.get("/v3/certificates", without=(header,))
    assert (code_of(answer), answer.json()["message"]) == ((400, "INVALID_REQUEST"), "头部信息不完整")


def test_the_query_is_signed_byte_for_byte(client: BareClient) -> None:
    answer = client.get("/v3/pay/transactions/out-trade-no/a%2Bb%20c?mchid=1900000109")
    assert code_of(answer) == (404, "ORDER_NOT_EXIST")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"echo_message": "x", "complaint_id": "1"}, "非法的额外参数"),
        ({"echo_message": None}, "null"),
        ({"echo_message": "退钱😡"}, "一到三个字节"),
        ({"echo_message": 5}, "类型不正确"),
        ({}, "缺失"),
        ([], "JSON对象"),
    ],
)
def test_a_wrong_body_is_refused(client: BareClient, body: object, told: str) -> None:
    answer = client.post(ECHO, body)
    assert code_of(answer) == (400, "PARAM_ERROR")
    assert told in answer.json()["message"]


def test_unknown_keys_carry_the_internal_number(client: BareClient) -> None:
    assert client.post(ECHO, {"echo_message": "x", "y": 1}).headers["Request-ID"].endswith("-270924358")


def test_broken_json_and_another_content_type_are_refused(client: BareClient) -> None:
    assert code_of(client.post(ECHO, raw=b'{"echo_message":')) == (400, "PARAM_ERROR")
    plain = client.post(ECHO, {"echo_message": "x"}, headers={"Content-Type": "text/plain"})
    assert code_of(plain) == (400, "INVALID_REQUEST")


def test_unknown_paths_are_not_found(client: BareClient) -> None:
    assert code_of(client.get("/v3/nothing")) == (404, "NOT_FOUND")
    assert code_of(client.call("DELETE", "/v3/certificates")) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (CallFault.TOO_MANY, (429, "FREQUENCY_LIMITED")),
        (CallFault.SERVER_ERROR, (500, "SYSTEM_ERROR")),
        (CallFault.ERROR_AFTER, (500, "SYSTEM_ERROR")),
    ],
)
def test_faults_speak_the_platforms_words(
    shop: Shop, client: BareClient, kind: CallFault, expected: tuple[int, str]
) -> None:
    shop.world.faults.add(Fault("wechatpay", kind))
    assert code_of(client.post(ECHO, {"echo_message": "x"})) == expected
    assert client.post(ECHO, {"echo_message": "x"}).status_code == 200
