"""One tree of errors for all channels. Callers ask `retryable` and catch `OutcomeUnknown`; little else matters to them.

ChannelError
├── Refused              the platform said no, and a repeat would be told the same
│   ├── BadRequest       our request was wrong for it
│   ├── NotFound         it does not know the thing
│   ├── Conflict         the thing's state does not allow it
│   ├── NotGranted       the account lacks a permission or product
│   ├── NotEnough        the account's balance is too low
│   └── Misconfigured    keys, certificates or clock are wrong
├── RateLimited          asked too often; try later                       (retryable)
├── Unavailable          it failed or could not be reached, no effect     (retryable)
├── OutcomeUnknown       the request left and no trustworthy answer came: query before any repeat
├── Untrusted            an answer or notification does not prove who sent it
└── Unsupported          the channel cannot do this in this mode
"""

from __future__ import annotations

from typing import ClassVar


class ChannelError(Exception):
    """Something went wrong with a channel.

    `message` is the platform's own text (it may be shown to an operator), `code` its own code, `request_id` what its
    support asks for. None of them ever holds a secret or a phone number.
    """

    retryable: ClassVar[bool] = False

    def __init__(
        self, channel: str, message: str, *, code: str = "", status: int = 0, request_id: str = "", after: float = 0.0
    ) -> None:
        super().__init__(f"{channel}: {code or status} {message}")
        self.channel = channel
        self.message = message
        self.code = code
        self.status = status
        self.request_id = request_id
        self.after = after  # seconds the platform asked us to wait, 0 for unsaid


class Refused(ChannelError):
    """The platform said no, and a repeat would be told the same."""


class BadRequest(Refused):
    """Our request was wrong for the platform."""


class NotFound(Refused):
    """The platform does not know the thing."""


class Conflict(Refused):
    """The thing's state does not allow it."""


class NotGranted(Refused):
    """The account lacks a permission or a product."""


class NotEnough(Refused):
    """The account's balance is too low."""


class Misconfigured(Refused):
    """Keys, certificates or the clock are wrong."""


class RateLimited(ChannelError):
    """Asked too often."""

    retryable = True


class Unavailable(ChannelError):
    """The platform failed or could not be reached, and the request took no effect."""

    retryable = True


class OutcomeUnknown(ChannelError):
    """The request left and no trustworthy answer came: query before any repeat."""


class Untrusted(ChannelError):
    """An answer or a notification does not prove who sent it."""


class Unsupported(ChannelError):
    """The channel cannot do this in this mode."""
