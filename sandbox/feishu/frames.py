"""The long connection's binary frames: a protobuf message of nine fields, written by hand.

See docs/platforms/feishu.md ("Long connection").
"""

from __future__ import annotations

from dataclasses import dataclass, field

CONTROL, DATA = 0, 1
_VARINT, _BYTES = 0, 2


class BadFrame(ValueError):
    """Not the documented protobuf message."""


@dataclass
class Frame:
    seq_id: int = 0
    log_id: int = 0
    service: int = 0
    method: int = CONTROL
    headers: dict[str, str] = field(default_factory=dict)
    payload_encoding: str = ""
    payload_type: str = ""
    payload: bytes = b""
    log_id_new: str = ""

    def encode(self) -> bytes:
        out = bytearray()
        for number, value in enumerate((self.seq_id, self.log_id, self.service, self.method), 1):
            out += _key(number, _VARINT) + _varint(value)
        for key, text in self.headers.items():
            out += _piece(5, _piece(1, key.encode()) + _piece(2, text.encode()))
        for number, text in ((6, self.payload_encoding), (7, self.payload_type)):
            if text:
                out += _piece(number, text.encode())
        if self.payload:
            out += _piece(8, self.payload)
        if self.log_id_new:
            out += _piece(9, self.log_id_new.encode())
        return bytes(out)


def decode(data: bytes) -> Frame:
    """Raises BadFrame; unknown fields are skipped, as protobuf wants."""
    frame = Frame()
    for number, value in _fields(data):
        if isinstance(value, int):
            if number == 1:
                frame.seq_id = value
            elif number == 2:
                frame.log_id = value
            elif number == 3:
                frame.service = value
            elif number == 4:
                frame.method = value
        elif number == 5:
            pair = {inner: part for inner, part in _fields(value) if isinstance(part, bytes)}
            frame.headers[_text(pair.get(1, b""))] = _text(pair.get(2, b""))
        elif number == 6:
            frame.payload_encoding = _text(value)
        elif number == 7:
            frame.payload_type = _text(value)
        elif number == 8:
            frame.payload = value
        elif number == 9:
            frame.log_id_new = _text(value)
    return frame


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _key(number: int, kind: int) -> bytes:
    return _varint(number << 3 | kind)


def _piece(number: int, data: bytes) -> bytes:
    return _key(number, _BYTES) + _varint(len(data)) + data


def _fields(data: bytes) -> list[tuple[int, int | bytes]]:
    found: list[tuple[int, int | bytes]] = []
    at = 0
    while at < len(data):
        key, at = _read_varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _read_varint(data, at)
            found.append((number, value))
            continue
        if kind == _BYTES:
            length, at = _read_varint(data, at)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise BadFrame(f"wire type {kind}")
        if at + length > len(data):
            raise BadFrame("cut off")
        found.append((number, data[at : at + length]))
        at += length
    return found


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise BadFrame("bad varint")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
