"""Words made safe for the markdown of cards, which knows tags (`<at>`, `<font>`), CommonMark and `:EMOJI:`.

Escapes are numeric entities: the official page on rich text asks for them.
See docs/platforms/feishu.md ("Card texts"); open.feishu.cn card-json-v2-components/content-components/rich-text
"""

from __future__ import annotations

import re

from bot.texts.catalogue import Style
from bot.texts.clean import clean
from bot.texts.escape import can_ping
from bot.texts.values import Mention

# Signs that every parser treats as text where they stand between letters or digits stay as they are (T2026-1, 12.34,
# 09:38): the card stays readable for whoever looks at its JSON.
_HOSTILE = re.compile(
    r"""[&<>*_~`\[\]\\#|$/=@]
    | (?<![0-9A-Za-z])[-+] | [-+](?![0-9A-Za-z])
    | (?<![0-9]): | :(?![0-9])
    | (?<=[0-9])[.)](?=\s|$) | \.(?=[^\W\d_])""",
    re.VERBOSE,
)
_OWN = re.compile(r"[&<>*_~`\[\]\\|] | ^[#=+.)-] | (?<=[0-9])[.)](?=\s|$)", re.VERBOSE | re.MULTILINE)
_INDENT = re.compile(r"^ +", re.MULTILINE)


def _entity(sign: re.Match[str]) -> str:
    return f"&#{ord(sign.group())};"


def hostile(words: str) -> str:
    """Somebody's words as card markdown that shows exactly them: no ping, link, formatting, emoji code or tag.

    Empty lines at the ends go: a lone `<br>` would be an HTML block, which Feishu does not take.
    """
    escaped = _HOSTILE.sub(_entity, clean(words).strip("\n"))
    return _INDENT.sub(lambda spaces: "&nbsp;" * len(spaces.group()), escaped).replace("\n", "<br>")


def own(said: str) -> str:
    """A text of the catalogue as card markdown. The catalogue holds plain text, so its signs are shown as signs too."""
    return _OWN.sub(_entity, said).replace("\n", "<br>")


def coloured(markdown: str, colour: str) -> str:
    """Card markdown in a colour, line by line: a break is not among the tags that `<font>` may hold."""
    return "<br>".join(f"<font color='{colour}'>{line}</font>" for line in markdown.split("<br>"))


def mention(who: Mention) -> str:
    """A ping where one is asked for and the open id is well-formed, else the name."""
    return f"<at id={who.open_id}></at>" if can_ping(who) else hostile(who.name)


MARKDOWN = Style(own=own, words=hostile, mention=mention)
