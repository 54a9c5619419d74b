"""What can be allowed to people about complaints."""

from __future__ import annotations

from bot.contributions.permissions import Permission, PermissionSpec

VIEW = Permission("complaint.view")
HANDLE = Permission("complaint.handle")  # claim, answer, finish
ASSIGN = Permission("complaint.assign")  # take over or hand on somebody else's
REVEAL = Permission("personal.reveal")

SPECS = (
    PermissionSpec(VIEW, ("viewer", "support", "operator", "approver", "finance")),
    PermissionSpec(HANDLE, ("support", "operator")),
    PermissionSpec(ASSIGN),
    PermissionSpec(REVEAL, ("operator",), place=1),  # told last
)
