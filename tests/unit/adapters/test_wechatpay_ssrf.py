"""Nobody's data makes the bot call an address of their choice: not by writing it, redirecting to it or naming it."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Any

import pytest
from merchant_kit import client_of
from wire_server import answer, serving

from adapters.errors import BadRequest, ChannelError, Unavailable
from adapters.wechatpay.pictures import FOLDER, Pictures

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20
SEEN = {"Content-Type": "image/png"}
OFFICIAL = "api.mch.weixin.qq.com"

# Ways to write 127.0.0.1 and the metadata service of clouds, or to make a name look like the platform's.
HOSTS = [
    "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "localhost", "localhost.", "LOCALHOST",
    "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]", "[fe80::1%25eth0]",
    "169.254.169.254", "[::ffff:169.254.169.254]", "[fd00:ec2::254]", "10.0.0.1", "192.168.0.1", "100.64.0.1",
    "127.0.0.1.nip.io", "metadata.google.internal", "１２７.0.0.1", "①②⑦.0.0.1", "api。mch。weixin。qq。com",
    f"{OFFICIAL}.", f"{OFFICIAL}%2eevil.example", f"{OFFICIAL}#@evil.example", f"{OFFICIAL}:443@127.0.0.1",
    f"127.0.0.1#{OFFICIAL}", f"127.0.0.1?{OFFICIAL}", f"evil.example/{OFFICIAL}", f"x{OFFICIAL}", f"{OFFICIAL}:80",
    f"{OFFICIAL}:0", f"@{OFFICIAL}", f":@{OFFICIAL}", f"{OFFICIAL}@", "xn--mch-5t8e.weixin.qq.com",
]  # fmt: skip


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that were looked up while the test ran; none is answered."""
    names: list[str] = []

    def look_up(host: Any, *more: Any, **how: Any) -> Any:
        names.append(str(host))
        raise socket.gaierror("nobody looks names up here")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return names


@pytest.mark.parametrize("scheme", ["https", "http", "file", "ftp", "gopher", "HTTPS "])
def test_no_other_host_is_called_or_even_looked_up(asked: list[str], scheme: str) -> None:
    with client_of(f"https://{OFFICIAL}") as client:
        for host in HOSTS:
            with pytest.raises(BadRequest, match="address"):
                Pictures(client).fetch(f"{scheme}://{host}{FOLDER}x")
    assert asked == []


@pytest.mark.parametrize(
    "path",
    [
        "../x", "a/../../x", "%2e%2e/x", "a/%2E%2e/%2e%2E/certificates", "%252e%252e/x", "..%2fx", "..\\x", "%2e.%5cx",
        "a/..", "../../../v3/refund/domestic/refunds",
    ],
)  # fmt: skip
def test_no_path_leads_out_of_the_folder_of_pictures(asked: list[str], path: str) -> None:
    with client_of(f"https://{OFFICIAL}") as client, pytest.raises(BadRequest, match="address"):
        Pictures(client).fetch(f"https://{OFFICIAL}{FOLDER}{path}")
    assert asked == []


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "where",
    ["http://{other}/", "//{other}/", "http://[::1]:{port}/", "http://169.254.169.254/latest", "file:///etc/passwd"],
)
def test_no_redirect_is_followed(status: int, where: str) -> None:
    with serving(answer(200, PNG, SEEN)) as other:
        host = other.url.removeprefix("http://")
        told = where.format(other=host, port=host.partition(":")[2])
        with (
            serving(answer(status, b"", {"Location": told, "Refresh": f"0; url={told}"})) as server,
            client_of(server.url) as client,
            pytest.raises(ChannelError),
        ):
            Pictures(client).fetch(server.url + FOLDER + "x")
        assert other.connections == 0


def test_a_redirect_within_the_platform_is_not_followed_either() -> None:
    with (
        serving(answer(302, b"", {"Location": "/v3/certificates"})) as server,
        client_of(server.url) as client,
    ):
        with pytest.raises(Unavailable):
            Pictures(client).fetch(server.url + FOLDER + "x")
        assert all(request.startswith(b"GET " + FOLDER.encode()) for request in server.requests)


def test_a_name_that_leads_elsewhere_learns_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who controls the name service can lead the platform's name to a private address; TLS ends it there."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener, client_of(f"https://{OFFICIAL}") as client:

        def listen() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        heard.append(connection.recv(65536))
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n" + PNG)

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", listener.getsockname())]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *more, **how: found)
        with pytest.raises(Unavailable):
            Pictures(client).fetch(f"https://{OFFICIAL}{FOLDER}x")
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=5)
    assert heard, "the name did lead here"
    assert not any(b"uthorization" in said or b"GET" in said for said in heard)


def test_the_proxy_of_the_environment_does_not_see_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(answer(200, PNG, SEEN)) as proxy, serving(answer(200, PNG, SEEN)) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        with client_of(server.url) as client:
            assert Pictures(client).fetch(server.url + FOLDER + "x").content == PNG
        assert proxy.connections == 0
