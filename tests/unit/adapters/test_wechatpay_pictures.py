"""Pictures come from the platform or not at all."""

from __future__ import annotations

import pytest
from merchant_kit import client_of
from wire_server import WireServer, answer, refusal, serving

from adapters.errors import BadRequest, NotFound, Refused, Unavailable
from adapters.values import Picture
from adapters.wechatpay.pictures import FOLDER, MAX_BYTES, Pictures, is_loopback, kind_of

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20
SEEN = {"Content-Type": "image/png"}


def fetch_from(server: WireServer) -> Picture:
    with client_of(server.url) as client:
        return Pictures(client).fetch(server.url + FOLDER + "x")


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/v3/merchant-service/images/x",
        "http://localhost:1/v3/merchant-service/images/x",
        "http://api.mch.weixin.qq.com/v3/merchant-service/images/x",
        "https://api.mch.weixin.qq.com.evil.example/v3/merchant-service/images/x",
        "https://evil.example/v3/merchant-service/images/x",
        "https://api.mch.weixin.qq.com@evil.example/v3/merchant-service/images/x",
        "https://user@api.mch.weixin.qq.com/v3/merchant-service/images/x",
        "https://api.mch.weixin.qq.com:8443/v3/merchant-service/images/x",
        "https://api.mch.weixin.qq.com/v3/refund/domestic/refunds/x",
        "https://api.mch.weixin.qq.com/v3/merchant-service/images/../../pay/x",
        "https://api.mch.weixin.qq.com\\@evil.example/v3/merchant-service/images/x",
        "https://api.mch.weixin.qq.com/v3/merchant-service/images/x\r\nHost: evil",
        "https://api.mch.weixin.qq.com:port/v3/merchant-service/images/x",
        "https://[::1/v3/merchant-service/images/x",
        "file:///etc/passwd",
        "//api.mch.weixin.qq.com/v3/merchant-service/images/x",
        "/v3/merchant-service/images/x",
        "",
    ],
)
def test_addresses_of_others_are_not_called(url: str) -> None:
    with serving(answer(200, PNG, SEEN)) as server, client_of(server.url) as client:
        with pytest.raises(BadRequest, match="address"):
            Pictures(client).fetch(url)
        assert server.connections == 0


def test_the_base_address_on_another_port_is_another_host() -> None:
    with serving(answer(200, PNG, SEEN)) as server, serving(answer(200, PNG, SEEN)) as other:
        with client_of(server.url) as client, pytest.raises(BadRequest):
            Pictures(client).fetch(other.url + FOLDER + "x")
        assert other.connections == 0


def test_plain_http_counts_only_on_loopback() -> None:
    with client_of("http://pay.example:80") as client, pytest.raises(BadRequest):
        Pictures(client).fetch("http://pay.example/v3/merchant-service/images/x")
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert not is_loopback("10.0.0.1")
    assert not is_loopback("127.0.0.1.evil.example")


def test_a_picture_is_fetched_signed_and_as_the_url_stands() -> None:
    with serving(answer(200, PNG, SEEN)) as server, client_of(server.url) as client:
        picture = Pictures(client).fetch(f"{server.url}{FOLDER}abc%2Bd%3d?x=1")
        assert (picture.content, picture.content_type) == (PNG, "image/png")
        assert server.head()[""] == f"GET {FOLDER}abc%2Bd%3d?x=1 HTTP/1.1"
        assert "authorization" in server.head()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"<html>", "image/png"),
        (b"<svg onload=alert(1)>", "image/svg+xml"),
        (PNG, "text/html"),
        (PNG, ""),
        (b"", "image/png"),
        (b"GIF8", "image/gif"),
    ],
)
def test_what_is_not_a_picture_is_refused(content: bytes, told: str) -> None:
    headers = {"Content-Type": told} if told else {}
    with serving(answer(200, content, headers)) as server, pytest.raises(Refused, match="not a picture"):
        fetch_from(server)


def test_what_it_is_counts_more_than_what_it_is_called() -> None:
    with serving(answer(200, b"\xff\xd8\xff\xe0....", {"Content-Type": "image/png"})) as server:
        assert fetch_from(server).content_type == "image/jpeg"


def test_endless_pictures_are_cut() -> None:
    with serving(answer(200, PNG + b"0" * MAX_BYTES, SEEN)) as server, pytest.raises(Unavailable, match="larger"):
        fetch_from(server)


def test_redirects_to_elsewhere_are_not_followed() -> None:
    with serving(answer(200, PNG, SEEN)) as other:
        with serving(answer(302, b"", {"Location": other.url + FOLDER})) as server, pytest.raises(Unavailable):
            fetch_from(server)
        assert other.connections == 0


def test_a_picture_that_is_gone() -> None:
    with serving(refusal(404, "RESOURCE_NOT_EXISTS", "图片不存在")) as server, pytest.raises(NotFound):
        fetch_from(server)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"BM....", "image/bmp"),
        (b"GIF89a", "image/gif"),
        (b"RIFF....WEBP", "image/webp"),
        (b"RIFF....WAVE", None),
        (b"%PDF-1.7", None),
    ],
)
def test_kinds(content: bytes, kind: str | None) -> None:
    assert kind_of(content) == kind
