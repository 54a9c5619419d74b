"""What can be allowed to people about the state of the house and what was done in it."""

from __future__ import annotations

from bot.contributions.permissions import Permission, PermissionSpec

AUDIT = Permission("audit.read")
READ = Permission("status.read")
MANAGE = Permission("status.manage")  # try stuck items again, put them aside

SPECS = (PermissionSpec(AUDIT, ("approver", "finance")), PermissionSpec(READ), PermissionSpec(MANAGE))
