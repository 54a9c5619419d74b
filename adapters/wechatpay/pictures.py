"""Pictures of complaints, fetched with the account's signature and only from the platform. WeChat Pay, 图片下载API.

The address comes out of data that a stranger can influence, and the answer is never signed: so the host is compared,
no redirect is followed, and the bytes are looked at.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, unquote, urlsplit

from adapters.errors import BadRequest, Refused
from adapters.values import Picture
from adapters.wechatpay.client import Client
from adapters.wechatpay.credentials import CHANNEL

OFFICIAL_HOSTS = frozenset({"api.mch.weixin.qq.com", "api2.mch.weixin.qq.com"})
FOLDER = "/v3/merchant-service/images/"
MAX_BYTES = 5 * 1024 * 1024

_SIGNS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
)


class Pictures:
    """Fetches pictures of one account."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._base = urlsplit(client.transport.base_url)

    def fetch(self, url: str) -> Picture:
        """Raises BadRequest for an address that is not the platform's, Refused for what is not a picture."""
        origin, target = self._accepted(url)
        answer = self._client.download(origin, target, shown=f"{FOLDER}*", max_bytes=MAX_BYTES)
        told = answer.header("Content-Type").partition(";")[0].strip().lower()
        kind = kind_of(answer.body)
        if kind is None or not told.startswith("image/"):
            raise Refused(CHANNEL, "the platform's answer is not a picture", status=answer.status)
        return Picture(answer.body, kind)

    def _accepted(self, url: str) -> tuple[str, str]:
        """Origin and target to call, byte for byte as they stand in the URL."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise self._refusal("malformed") from None
        if any(sign.isspace() or not sign.isprintable() or sign == "\\" for sign in url):
            raise self._refusal("malformed")
        if parts.username is not None or parts.password is not None:
            raise self._refusal("with a user name")
        if not self._is_base(parts, port) and not self._is_official(parts, port):
            raise self._refusal("of a host that is not the platform's")
        if not parts.path.startswith(FOLDER) or _climbs(parts.path):
            raise self._refusal("of something that is not a picture")
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        return f"{parts.scheme}://{parts.netloc}", target

    def _is_base(self, parts: SplitResult, port: int | None) -> bool:
        same_host = parts.hostname == self._base.hostname
        if not same_host or _port(parts.scheme, port) != _port(self._base.scheme, self._base.port):
            return False
        return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(self._base.hostname or ""))

    def _is_official(self, parts: SplitResult, port: int | None) -> bool:
        return parts.scheme == "https" and parts.hostname in OFFICIAL_HOSTS and port in (None, 443)

    def _refusal(self, why: str) -> BadRequest:
        return BadRequest(CHANNEL, f"picture not fetched: an address {why}")


def kind_of(content: bytes) -> str | None:
    """What the bytes are, by their first ones; None for anything that is not a common picture."""
    for sign, kind in _SIGNS:
        if content.startswith(sign):
            return kind
    return "image/webp" if content[:4] == b"RIFF" and content[8:12] == b"WEBP" else None


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _climbs(path: str) -> bool:
    """Whether any server could read the path as one that leaves its folder, however often it decodes it."""
    for _ in range(3):
        if ".." in path.replace("\\", "/").split("/"):
            return True
        path = unquote(path)
    return False


def _port(scheme: str, port: int | None) -> int | None:
    return port if port is not None else {"http": 80, "https": 443}.get(scheme)
