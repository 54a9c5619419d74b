"""What can be allowed to people, and the roles that carry it. Read wherever somebody's rights are looked up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

from bot.contributions.base import Contribution

Permission = NewType("Permission", str)

ROLE_NAMES = ("viewer", "support", "operator", "approver", "finance", "admin")
"""The roles that every company has. `admin` carries everything."""


@dataclass(frozen=True, slots=True)
class PermissionSpec(Contribution):
    """A permission, and which roles carry it besides `admin`. Its title is the text `permission.<name>`."""

    name: Permission
    roles: tuple[str, ...] = ()

    def identifiers(self) -> tuple[str, ...]:
        return (self.name,)
