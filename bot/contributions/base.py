"""What every contribution has in common."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass


@dataclass(frozen=True, slots=True)
class Contribution:
    """Something that an area brings. The set of its classes is open: whoever reads one defines it.

    `place`: where it stands among those of its class, smaller first; equal ones in the order of the areas.
    """

    _: KW_ONLY
    place: int = 0

    def identifiers(self) -> tuple[str, ...]:
        """What no other contribution of its class may be called as well. Empty: any number may be alike."""
        return ()


@dataclass(frozen=True, slots=True)
class Named(Contribution):
    """A contribution with a name that no other one of its class has."""

    name: str

    def identifiers(self) -> tuple[str, ...]:
        return (self.name,)
