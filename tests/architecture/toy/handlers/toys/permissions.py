"""What can be allowed to people about toys."""

from __future__ import annotations

from bot.contributions.permissions import Permission, PermissionSpec

MAKE = Permission("toy.make")
SPECS = (PermissionSpec(MAKE, ("operator",)),)
