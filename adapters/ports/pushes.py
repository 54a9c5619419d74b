"""Pushes of a channel: proven and read, and where the platform sends them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from adapters.values import Acknowledgement, ComplaintNotice, Notification, RefundDetails


@runtime_checkable
class InboundPort(Protocol):
    """Pushes of the channel to `/notify/<account>`."""

    max_bytes: int

    def open(self, headers: Mapping[str, str], body: bytes) -> Notification:
        """Prove who sent it and when, then decrypt. Header names are looked up without regard to case.

        Raises Untrusted (wrong or missing signature, stale, undecryptable), BadRequest (too large, not the documented
        shape) or Misconfigured (our own keys are broken). Never calls out.
        """
        ...

    def read(self, event: str, resource: Mapping[str, object]) -> ComplaintNotice | RefundDetails | None:
        """What a notification tells, from its stored `event` and `resource`; None for events we have no word for."""
        ...

    def accepted(self) -> Acknowledgement:
        """The push is stored; the platform may forget it."""
        ...

    def refused(self) -> Acknowledgement:
        """Leaks nothing about why."""
        ...


@runtime_checkable
class CallbacksPort(Protocol):
    """The address to which the platform pushes complaints."""

    def address(self) -> str | None:
        """None when none is set."""
        ...

    def set_address(self, url: str) -> None:
        """Set or replace it; setting the same again changes nothing."""
        ...
