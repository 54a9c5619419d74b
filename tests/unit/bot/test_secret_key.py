"""Which secret keys look random: what generators make does, what people think up does not."""

from __future__ import annotations

import base64
import secrets
import string
import uuid
from collections.abc import Callable

import pytest

from bot.secret_key import weakness

_ALPHABET = string.ascii_letters + string.digits
# What is made, and how many of a thousand may be refused for having come out oddly by chance.
GENERATORS: dict[str, tuple[Callable[[], str], int]] = {
    "openssl rand -base64 32": (lambda: base64.b64encode(secrets.token_bytes(32)).decode(), 0),
    "openssl rand -hex 32": (lambda: secrets.token_hex(32), 0),
    "token_urlsafe(32)": (lambda: secrets.token_urlsafe(32), 0),
    "sixteen bytes in base64": (lambda: base64.b64encode(secrets.token_bytes(16)).decode(), 40),
    "sixteen bytes in hex": (lambda: secrets.token_hex(16), 20),
    "sixteen bytes in capital hex": (lambda: secrets.token_hex(16).upper(), 20),
    "twenty bytes in base32": (lambda: base64.b32encode(secrets.token_bytes(20)).decode(), 40),
    "a UUID": (lambda: str(uuid.uuid4()), 20),
    "32 letters and digits": (lambda: "".join(secrets.choice(_ALPHABET) for _ in range(32)), 20),
}


@pytest.mark.parametrize("name", GENERATORS)
def test_b18_what_a_generator_makes_is_taken(name: str) -> None:
    make, oddly = GENERATORS[name]
    refused = [key for key in (make() for _ in range(1000)) if weakness(key)]
    assert len(refused) <= oddly, refused[:3]


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("", "short"),
        ("a" * 16, "short"),
        ("x7Kq-2mPw9Zt4Rv", "short"),  # random, but 15 characters
        ("8f3a9c71d2b4e605", "short"),  # eight bytes
        ("a" * 64, "repeats"),
        ("0" * 64, "repeats"),
        ("abc" * 20, "repeats"),
        ("deadbeef" * 8, "repeats"),
        ("0123456789abcdef" * 4, "repeats"),
        ("00112233445566778899aabbccddeeff", "counts"),
        ("abcdefghijklmnopqrstuvwxyz0123456789", "counts"),
        ("12345678901234567890123456789012345678901234567890", "counts"),
        ("qwertyuiopasdfghjklzxcvbnm1234567890", "counts"),
        ("1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "counts"),
        ("P@ssw0rdP@ssw0rdP@ssw0rdP@ssw0rd", "repeats"),
        ("change-me-change-me-change-me-change-me", "repeats"),
        ("correcthorsebatterystaplecorrecthorse", "words"),
        ("mpops-secret-key-for-our-company-2026", "words"),
        ("ThisIsOurVerySecretKeyForTheFeishuBot1", "words"),
        ("womendegongsimimiyaoshibuyaogaosubieren2026", "words"),
        ("MySecretKey2024MySecretKey2025MySecretKey2026", "words"),
    ],
)
def test_b18_what_somebody_thought_up_is_told_apart(key: str, why: str) -> None:
    assert why in weakness(key)
    assert not key or key not in weakness(key)
