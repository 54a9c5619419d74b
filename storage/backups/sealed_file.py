"""An encrypted file of lines: compressed, cut into chunks, each chunk sealed with AES-GCM under a key of this file.

Layout: the magic line, a header (length, JSON in plain), then chunks (length, ciphertext). The key is derived from the
secret key and a salt in the header. A chunk's nonce is its place and whether it is the last, and the header is its
associated data: a chunk that was changed, moved, left out or cut off does not open.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from storage.keys import secret_fingerprint

MAGIC = b"mpops backup 1\n"
_CHUNK = 1 << 20
_LENGTH = struct.Struct(">I")
_MOST_HEADER = 1 << 16
_TAG = 16


class UnreadableFile(Exception):
    """The file is no backup, was damaged or changed, or was sealed with another secret key."""


def write_lines(path: Path, secret: str, header: Mapping[str, Any], lines: Iterable[str]) -> None:
    """Write the file whole or not at all. Raises FileExistsError: an older backup is never overwritten."""
    if path.exists():
        raise FileExistsError(str(path))
    salt = os.urandom(32)
    told = {**header, "salt": salt.hex(), "secret": secret_fingerprint(secret)}
    plain = json.dumps(told, sort_keys=True).encode()
    cipher = _cipher(secret, salt)
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)  # of one that was cut off; written into, it would keep the rights that it has
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(MAGIC + _LENGTH.pack(len(plain)) + plain)
            for place, (chunk, last) in enumerate(_chunks(lines)):
                sealed = cipher.encrypt(_nonce(place, last), chunk, plain)
                file.write(_LENGTH.pack(len(sealed)) + sealed)
            file.flush()
            os.fsync(file.fileno())
        os.link(part, path)  # unlike a rename, this fails if somebody else made the file meanwhile
    finally:
        part.unlink(missing_ok=True)


def read_header(path: Path) -> dict[str, Any]:
    """What stands in plain at the beginning; not proven before the lines were read. Raises UnreadableFile."""
    with _opened(path) as file:
        return _header(file)[0]


def read_lines(path: Path, secrets: Sequence[str]) -> Iterator[str]:
    """The lines. Raises UnreadableFile, at the latest after the last line that is whole."""
    with _opened(path) as file:
        header, plain = _header(file)
        secret = next((each for each in secrets if secret_fingerprint(each) == header.get("secret")), None)
        if secret is None:
            raise UnreadableFile(
                f"it was made with another secret key, with the fingerprint {header.get('secret')}; set that one as "
                f"MPOPS_SECRET_KEY, or among MPOPS_PREVIOUS_SECRET_KEYS (at hand: "
                f"{', '.join(secret_fingerprint(each) for each in secrets)})"
            )
        cipher = _cipher(secret, bytes.fromhex(str(header["salt"])))
        unpacker = zlib.decompressobj()
        rest = b""
        for chunk in _opened_chunks(file, cipher, plain):
            *whole, rest = (rest + unpacker.decompress(chunk)).split(b"\n")
            for line in whole:
                yield line.decode()
        if rest or not unpacker.eof:
            raise UnreadableFile("its end is missing")


def _opened_chunks(file: BinaryIO, cipher: AESGCM, header: bytes) -> Iterator[bytes]:
    place = 0
    length = file.read(_LENGTH.size)
    while length:
        size = _LENGTH.unpack(length)[0] if len(length) == _LENGTH.size else 0
        sealed = file.read(size) if _TAG <= size <= 2 * _CHUNK else b""
        length = file.read(_LENGTH.size)
        try:
            yield cipher.decrypt(_nonce(place, not length), sealed, header)
        except InvalidTag:
            raise UnreadableFile(f"it was damaged, changed or cut off (at part {place + 1})") from None
        place += 1
    if place == 0:
        raise UnreadableFile("there is nothing in it")


def _chunks(lines: Iterable[str]) -> Iterator[tuple[bytes, bool]]:
    packer = zlib.compressobj(6)
    waiting = b""
    for line in lines:
        waiting += packer.compress(line.encode() + b"\n")
        while len(waiting) > _CHUNK:
            yield waiting[:_CHUNK], False
            waiting = waiting[_CHUNK:]
    waiting += packer.flush()
    while len(waiting) > _CHUNK:
        yield waiting[:_CHUNK], False
        waiting = waiting[_CHUNK:]
    yield waiting, True


def _nonce(place: int, last: bool) -> bytes:
    return place.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _cipher(secret: str, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(hashes.SHA256(), 32, salt=salt, info=b"mpops backup file").derive(secret.encode()))


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise UnreadableFile(f"it cannot be opened ({type(error).__name__})") from None


def _header(file: BinaryIO) -> tuple[dict[str, Any], bytes]:
    if file.read(len(MAGIC)) != MAGIC:
        raise UnreadableFile("it is not a backup of mpops, or one of a newer version")
    length = file.read(_LENGTH.size)
    size = _LENGTH.unpack(length)[0] if len(length) == _LENGTH.size else 0
    plain = file.read(size) if 0 < size <= _MOST_HEADER else b""
    try:
        header = json.loads(plain)
        bytes.fromhex(header["salt"])
    except (ValueError, KeyError, TypeError):
        raise UnreadableFile("its beginning was damaged") from None
    return header, plain
