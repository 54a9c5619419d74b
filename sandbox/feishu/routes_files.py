"""HTTP of pictures and files: uploads by bots, downloads, and what people attached.

See docs/platforms/feishu.md ("Files").
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from urllib.parse import quote

from flask import Response, request
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from sandbox.feishu import api as http
from sandbox.feishu.api import Api, Caller
from sandbox.feishu.errors import Refused
from sandbox.feishu.state import Upload, new_id

MOST_IMAGE = 10 * 1024 * 1024
MOST_FILE = 30 * 1024 * 1024
LARGEST_SIDE = 12000
FILE_TYPES = frozenset({"opus", "mp4", "pdf", "doc", "xls", "ppt", "stream"})
MAGIC = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"BM": "image/bmp",
    b"RIFF": "image/webp",
    b"II*\x00": "image/tiff",
    b"MM\x00*": "image/tiff",
    b"\x00\x00\x01\x00": "image/x-icon",
}
SCOPES = ("im:resource", "im:resource:upload")


def register(api: Api) -> None:
    store = api.core.store

    def upload_image(caller: Caller) -> http.Data:
        parts = sent_parts()
        image = parts.get("image")
        if _word(parts, "image_type") not in ("message", "avatar") or image is None:
            raise Refused(234001, "Invalid request param.")
        kind = picture_type(image.data)
        upload = Upload(new_id("img_v3_"), caller.app.app_id, "image", image.data, image.file_name, kind)
        store.uploads[upload.key] = upload
        return {"image_key": upload.key}

    def upload_file(caller: Caller) -> http.Data:
        parts = sent_parts()
        file, name, kind = parts.get("file"), _word(parts, "file_name"), _word(parts, "file_type")
        if kind not in FILE_TYPES or not name or file is None:
            raise Refused(234001, "Invalid request param.")
        if not file.data:
            raise Refused(234010, "File's size can't be 0.")
        if len(file.data) > MOST_FILE:
            raise Refused(234006, "The file size exceed the max value.")
        upload = Upload(new_id("file_v3_"), caller.app.app_id, "file", file.data, name, file.content_type, kind)
        store.uploads[upload.key] = upload
        return {"file_key": upload.key}

    def own(caller: Caller, key: str) -> Response:
        upload = store.uploads.get(key)
        if upload is None:
            raise Refused(234003, "The file key does not exist.")
        if upload.owner != caller.app.app_id:
            raise Refused(234008, "The app is not the resource sender.")
        return download(upload)

    def resource(caller: Caller, message_id: str, key: str) -> Response:
        if caller.text("type") not in ("image", "file"):
            raise Refused(234001, "Invalid request param.")
        message = api.core.messages.find(message_id)
        store.app_with_bot_in(caller.app, store.chat(message.chat_id))
        if message.is_card:
            raise Refused(234043, "Unsupported message type.")
        upload = store.uploads.get(key)
        if upload is None or message.recalled or key not in str(message.content):
            raise Refused(234003, "The file key does not belong to the message.")
        return download(upload)

    api.on("POST", "/open-apis/im/v1/images", upload_image, SCOPES)
    api.on("POST", "/open-apis/im/v1/files", upload_file, SCOPES)
    api.on("GET", "/open-apis/im/v1/images/<key>", own, ("im:resource",))
    api.on("GET", "/open-apis/im/v1/files/<key>", own, ("im:resource",))
    api.on("GET", "/open-apis/im/v1/messages/<message_id>/resources/<key>", resource, ("im:message", "im:resource"))


@dataclass(frozen=True, slots=True)
class Part:
    data: bytes
    file_name: str
    content_type: str


def sent_parts() -> dict[str, Part]:
    """The parts of a multipart body as bytes.

    The Python SDK sends files without a file name, which web frameworks take for text fields and so spoil.
    """
    boundary = request.mimetype_params.get("boundary", "")
    if request.mimetype != "multipart/form-data" or not boundary:
        raise Refused(234001, "Invalid request param.")
    decoder = MultipartDecoder(boundary.encode())
    decoder.receive_data(request.get_data())
    decoder.receive_data(None)
    parts: dict[str, Part] = {}
    current: Field | File | None = None
    data = bytearray()
    try:
        while not isinstance(event := decoder.next_event(), Epilogue | NeedData):
            if isinstance(event, Field | File):
                current, data = event, bytearray()
            elif isinstance(event, Data) and current is not None:
                data += event.data
                if not event.more_data:
                    name = current.filename or "" if isinstance(current, File) else ""
                    kind = current.headers.get("Content-Type", "application/octet-stream")
                    parts[current.name] = Part(bytes(data), name, kind)
    except ValueError:
        raise Refused(234001, "Invalid request param.") from None
    return parts


def _word(parts: dict[str, Part], name: str) -> str:
    return parts[name].data.decode("utf-8", "replace") if name in parts else ""


def picture_type(data: bytes) -> str:
    """The media type by the first bytes. Raises 234010, 234006, 234011, 234039."""
    if not data:
        raise Refused(234010, "File's size can't be 0.")
    if len(data) > MOST_IMAGE:
        raise Refused(234006, "The file size exceed the max value.")
    kind = next((kind for magic, kind in MAGIC.items() if data.startswith(magic)), "")
    if not kind:
        raise Refused(234011, "Can't recognize the image format.")
    if kind == "image/png" and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        if max(width, height) > LARGEST_SIDE:
            raise Refused(234039, "Image resolution exceeds limit.")
    return kind


def download(upload: Upload) -> Response:
    made = Response(upload.data, content_type=upload.content_type)
    name = quote(upload.name or upload.key)
    made.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
    return made
