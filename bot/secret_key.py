"""Whether a secret key looks as if it came out of a generator: nobody can prove that, but what was thought up shows.

What `openssl rand -base64 32` makes is never refused; of shorter random keys one in a hundred is, by mere chance.
"""

from __future__ import annotations

import math
import re
from itertools import pairwise

HOW_TO_MAKE_ONE = "openssl rand -base64 32"
_NEEDED = 128  # bits, if every character was chosen by chance
_LEFT = 96  # bits, without what repeats or counts; something of that is in a random key too
_LEFT_BESIDE_WORDS = 84  # bits; the same
_HEX = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_BASE32 = re.compile(r"(?=.*[2-7])[A-Z2-7]+")
# Two letters that follow each other in every third place of English or pinyin, and by chance in every tenth.
_COMMON = (
    "th he in er an re nd at on nt ha es st en ed to it ou ea hi is or ti as te et ng of al de se le sa si ar ve ra ld"
    " ur me ri ro ic ne ma om ee co ss be ec li la el ca no io ke ey rd pa wo sh zh ia ao ua ei gu xi ji yi iu ui uo"
)
_PAIRS = frozenset(_COMMON.split())
_WORDY = 0.38  # of all pairs of letters
_KEYBOARD = (
    "1234567890 qwertyuiop asdfghjkl zxcvbnm 1qaz 2wsx 3edc 4rfv 5tgb 6yhn 7ujm 8ik 9ol 0p z2 x3 c4 v5 b6 n7 m8 k9 l0"
)
_BESIDE = frozenset(
    {one + other for one, other in pairwise(_KEYBOARD)} | {other + one for one, other in pairwise(_KEYBOARD)}
)


def weakness(secret: str) -> str:
    """Why a key like this can be guessed, to be read after "it"; "" for a good one."""
    key = secret.strip().rstrip("=")
    if _HEX.fullmatch(key.replace("-", "")):
        key = key.replace("-", "")
    each = _bits(key)
    if len(key) * each < _NEEDED:
        return "is too short"
    fresh = _fresh(key.casefold())
    if len(fresh) * each < _LEFT:
        return "repeats itself or counts"
    if not _HEX.fullmatch(key) and len(fresh - _words(key.casefold())) * each < _LEFT_BESIDE_WORDS:
        return "is made of words"
    return ""


def _bits(key: str) -> float:
    """Of one character that was chosen by chance from such as are there."""
    if _HEX.fullmatch(key):
        return math.log2(10) if key.isdigit() else 4.0
    if _BASE32.fullmatch(key):
        return 5.0
    if key.casefold() != key and key.upper() != key:
        return 6.0
    return math.log2(26 + 10 * any(char.isdigit() for char in key))


def _fresh(key: str) -> set[int]:
    """The places that are news: neither the end of three that were there before, nor one more step in a row."""
    seen: set[str] = set()
    news = set()
    for place in range(len(key)):
        three = key[max(0, place - 2) : place + 1]
        steps = all(
            abs(ord(after) - ord(before)) <= 1 or before + after in _BESIDE for before, after in pairwise(three)
        )
        if len(three) < 3 or (three not in seen and not steps):
            news.add(place)
        seen.add(three)
    return news


def _words(key: str) -> set[int]:
    """The places that stand in words; none where the letters do not look like words."""
    letters = known = 0
    inside = set()
    for place, pair in enumerate(pairwise(key)):
        if pair[0].isalpha() and pair[1].isalpha():
            letters += 1
            if "".join(pair) in _PAIRS:
                known += 1
                inside |= {place, place + 1}
    return inside if known >= _WORDY * letters else set()
