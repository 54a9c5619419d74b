"""Every table, imported in one place so that `Base.metadata` is whole (migrations, backups, drift checks)."""

from storage import (
    approvals,
    audit,
    complaints,
    digests,
    effects,
    inbox,
    keys,
    outbox,
    people,
    processes,
    refunds,
    schedule,
    setup,
    tenants,
    trouble,
)
from storage.base import Base

METADATA = Base.metadata

__all__ = [
    "METADATA",
    "approvals",
    "audit",
    "complaints",
    "digests",
    "effects",
    "inbox",
    "keys",
    "outbox",
    "people",
    "processes",
    "refunds",
    "schedule",
    "setup",
    "tenants",
    "trouble",
]
