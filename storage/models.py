"""Every table, imported in one place so that `Base.metadata` is whole (migrations, backups, drift checks)."""

from storage import keys
from storage.areas import approvals, complaints, digests, people, refunds, setup
from storage.base import Base
from storage.core import audit, effects, inbox, outbox, processes, schedule, tenants, trouble

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
