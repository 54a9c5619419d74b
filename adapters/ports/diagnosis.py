"""What `mpops doctor` asks of an account."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from adapters.values import Finding


@runtime_checkable
class DiagnosisPort(Protocol):
    """What `mpops doctor` asks of an account."""

    def examine(self, notify_url: str | None = None) -> Sequence[Finding]:
        """Check credentials, keys, clock and callback address against the platform; changes nothing.

        Never raises for what it finds: a failure is a finding with its remedy.
        """
        ...
