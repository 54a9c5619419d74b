"""Pictures: small real PNG files of complaining customers, and what merchants upload."""

from __future__ import annotations

import hashlib
import json
import secrets
import struct
import zlib
from dataclasses import dataclass
from io import BytesIO

from werkzeug.formparser import MultiPartParser

from sandbox.wechatpay.refusals import Refusal, bad_request, wrong_field

MOST_BYTES = 2 * 1024 * 1024
_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".bmp": "image/bmp"}


@dataclass(frozen=True, slots=True)
class Picture:
    """`by_customer` ones can be downloaded by the merchant; its own uploads cannot be had back."""

    media_id: str
    merchant_id: str
    by_customer: bool
    content_type: str
    content: bytes


def new_media_id() -> str:
    """Holds signs that must be escaped in a URL, so that who decodes and re-encodes the URL gets a wrong signature."""
    return f"ChsyMDAyMTEy{secrets.token_hex(12)}+{secrets.token_hex(2)}=="


def draw(number: int, width: int = 240, height: int = 160) -> bytes:
    """A PNG of coloured bands, different for every number."""
    shade = (number * 67) % 200
    rows = []
    for y in range(height):
        band = (y * 5 // height + number) % 5
        colour = bytes((55 + (band * 50 + shade) % 200, 55 + (band * 90 + number * 31) % 200, 55 + shade))
        rows.append(b"\x00" + colour * width)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packed = zlib.compress(b"".join(rows), 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _in_memory(
    total_content_length: int | None, content_type: str | None, filename: str | None, content_length: int | None = None
) -> BytesIO:
    return BytesIO()


@dataclass(frozen=True, slots=True)
class Upload:
    """A multipart upload as it was read: `meta` is the signed text, not yet checked."""

    meta: str
    content: bytes

    @classmethod
    def read(cls, content_type: str, raw: bytes) -> Upload:
        """Reads the form; a missing boundary is taken from the body's first line, as the platform puts up with it."""
        kind, _, options = content_type.partition(";")
        if kind.strip().lower() != "multipart/form-data":
            raise bad_request("Content-Type应为multipart/form-data")
        boundary = ""
        for option in options.split(";"):
            name, _, value = option.strip().partition("=")
            if name.lower() == "boundary":
                boundary = value.strip('"')
        if not boundary:
            first = raw.split(b"\r\n", 1)[0]
            boundary = first[2:].decode("ascii", "replace") if first.startswith(b"--") else ""
        if not boundary:
            raise bad_request("multipart请求缺少boundary")
        try:
            form, files = MultiPartParser(stream_factory=_in_memory).parse(BytesIO(raw), boundary.encode(), len(raw))
        except ValueError:
            raise bad_request("multipart请求体解析失败") from None
        file = files.get("file")
        return cls(form.get("meta", ""), file.read() if file is not None else b"")

    def checked(self) -> str:
        """The content type of the uploaded picture; refuses what the platform refuses."""
        try:
            meta = json.loads(self.meta)
        except ValueError:
            raise wrong_field("meta", "meta不是合法的JSON") from None
        if not isinstance(meta, dict) or set(meta) != {"filename", "sha256"}:
            raise wrong_field("meta", "meta须包含且仅包含filename和sha256")
        name, digest = str(meta["filename"]), str(meta["sha256"])
        suffix = name[name.rfind(".") :].lower() if "." in name else ""
        if len(name) > 128 or suffix not in _TYPES:
            raise wrong_field("meta/filename", "文件名须以.jpg、.bmp、.png为后缀，且不超过128个字符", name)
        if not self.content:
            raise wrong_field("file", "文件内容为空")
        if len(self.content) > MOST_BYTES:
            raise wrong_field("file", "图片大小不能超过2M")
        if hashlib.sha256(self.content).hexdigest() != digest.lower():
            raise Refusal(400, "PARAM_ERROR", "文件的sha256与meta不一致")
        return _TYPES[suffix]
