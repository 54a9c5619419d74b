"""One tree of errors for all calls to Feishu, and the table from its codes.
See docs/platforms/feishu.md ("Errors by code").

FeishuError
├── Retryable            the same call may succeed later; repeat it with the same uuid
│   ├── Unreachable      no answer, or none that can be read
│   ├── Throttled        asked too often; `after` says how long to wait when Feishu said it
│   └── TokenRefused     the token was refused twice in a row
└── Permanent            a repeat would be told the same
    ├── BadRequest       our request was wrong
    ├── NotVisible       the app may not see that person or message
    ├── UrgentRefused    too many unread urgent messages, or no quota left
    ├── QuotaGone        the month's calls are used up: stop until the 1st
    ├── Misconfigured    something is to be set in the developer console
    │   ├── BadCredentials
    │   ├── BotDisabled
    │   └── MissingScope
    ├── BotNotInChat     until it is added again
    │   └── ChatGone     for good
    ├── PersonGone       that person cannot be written to
    ├── MessageClosed    this message can no longer be changed; a new one can be sent
    │   ├── Recalled
    │   └── CardTooOld
    └── ContentRefused   the words, not the call: shorten or mask them
        └── CardRefused  send the plain text instead
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType


class FeishuError(Exception):
    """A call to Feishu failed.

    `what` names the call, `code` is Feishu's (0 when there was no answer), `message` Feishu's own text (for the log: it
    may quote what was sent), `log_id` what Feishu's support asks for, `status` the HTTP status.
    """

    def __init__(self, what: str, message: str, *, code: int = 0, status: int = 0, log_id: str = "") -> None:
        super().__init__(f"{what}: {code} {message}")
        self.what = what
        self.message = message
        self.code = code
        self.status = status
        self.log_id = log_id


class Retryable(FeishuError):
    """The same call may succeed later. Sending with the same uuid is safe for 1 h."""

    after: float = 0.0  # seconds Feishu asked us to wait, 0 for unsaid


class Unreachable(Retryable):
    """No answer, or none that can be read; whether it had an effect is unknown, which the uuid makes harmless."""


class Throttled(Retryable):
    """Asked too often."""


class TokenRefused(Retryable):
    """A fresh token was refused as well."""


class Permanent(FeishuError):
    """A repeat would be told the same."""


class BadRequest(Permanent):
    """Our request was wrong."""


class NotVisible(Permanent):
    """Outside of what the app may see or change."""


class UrgentRefused(Permanent):
    """Somebody has too many unread urgent messages, or the company's quota is used up."""


class QuotaGone(Permanent):
    """The calls of this month are used up; stop calling until the 1st."""


class Misconfigured(Permanent):
    """Something is to be set in Feishu's developer console."""


class BadCredentials(Misconfigured):
    """App id or secret wrong, or the app is disabled in this company."""


class BotDisabled(Misconfigured):
    """The app has no bot ability, or no version with it was published."""


class MissingScope(Misconfigured):
    """The app lacks one of `scopes`; `helps` are addresses where an administrator grants them."""

    scopes: tuple[str, ...] = ()
    helps: tuple[str, ...] = ()


class BotNotInChat(Permanent):
    """The bot is not in the chat, or may not speak there."""


class ChatGone(BotNotInChat):
    """The chat was dissolved or never was."""


class PersonGone(Permanent):
    """That person cannot be written to: left, outside of the app's availability, or has stopped the bot."""

    @property
    def resigned(self) -> bool:
        """Whether Feishu says for certain that the person left the company."""
        return self.code == 230029


class MessageClosed(Permanent):
    """The message can no longer be changed or answered."""


class Recalled(MessageClosed):
    """The message was recalled or deleted: send a new one."""


class CardTooOld(MessageClosed):
    """Cards live 14 days: send a new one."""


class ContentRefused(Permanent):
    """The words were refused: too long, sensitive, or holding a phone number that the company filters."""


class CardRefused(ContentRefused):
    """The card was refused. `subcode` is the card builder's own code, 0 when it named none."""

    @property
    def subcode(self) -> int:
        match = re.search(r"ErrCode:\s*(\d{1,12})", self.message)
        return int(match[1]) if match else 0

    @property
    def names_nobody(self) -> bool:
        """Whether the reason is a person id that does not exist (any more)."""
        return self.subcode == 100290


_BY_CLASS: Mapping[type[FeishuError], tuple[int, ...]] = {
    Throttled: (99991400, 230020, 232019),
    TokenRefused: (99991663, 99991664, 99991665),
    Retryable: (2200, 230049),
    QuotaGone: (99991403,),
    BadCredentials: (10003, 10014, 10015, 99991673, 232034, 212100),
    MissingScope: (99991672,),
    BotDisabled: (230006, 232025),
    Misconfigured: (99991401,),
    BadRequest: (
        *(99991661, 99991668, 99991671, 99991677, 99991679, 99992402),
        *(230034, 230054, 230055, 230071, 230072, 230075, 232001, 40001),
        *(9499, 234008, 234001, 234002, 234003, 234004, 234005, 234006, 234010, 234011, 234037, 234039, 234043),
    ),
    NotVisible: (230012, 230015, 230017, 230026, 230027, 230050, 41050, 40003, 40004),
    UrgentRefused: (230023, 230024),
    BotNotInChat: (230002, 230018, 230035, 231203, 232010, 232011, 232033),
    ChatGone: (232006, 232009),
    PersonGone: (230013, 230029, 230038, 230053, 99992351, 99992360, 99992361, 41012),
    MessageClosed: (230009, 230019, 230111),
    Recalled: (230011, 230110),
    CardTooOld: (230031,),
    ContentRefused: (230001, 230022, 230025, 230028),
    CardRefused: (230099,),
}
CODES: Mapping[int, type[FeishuError]] = MappingProxyType(
    {code: kind for kind, codes in _BY_CLASS.items() for code in codes}
)
TOKEN_CODES = frozenset(_BY_CLASS[TokenRefused])


def classify(code: int, message: str, *, status: int = 200, with_card: bool = False) -> type[FeishuError]:
    """The class of an error. `with_card`: the call carried a card, so refused words are a refused card.

    A code that nobody documented is retried when the HTTP status says that the server is at fault or overrun.
    """
    kind = CODES.get(code)
    if kind is None:
        if status == 429:
            return Throttled
        return Retryable if status >= 500 else Permanent
    if kind is CardRefused and "card action is lock" in message.lower():
        return Retryable  # somebody's click on it is being worked on
    return CardRefused if with_card and kind is ContentRefused else kind
