"""What the apply file declares of approvals: policies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from pydantic import Field, ValidationInfo, field_validator

from bot.area import Areas
from bot.contributions.approvals import Approvable
from bot.contributions.configuration import Applying, Change, ConfigTable, Declared, Table, areas_of, one_of
from handlers.shared.apply_file_rows import programs, rows
from handlers.shared.durations import span
from storage.areas.configuration import Configuration, Policy

_WHOM = r"^(role:[a-z][\w-]*|person:ou_.+|owner)$"


class PolicyTable(Table):
    action: str
    scope: str = "*"
    quorum: int = Field(default=1, ge=1, le=20)
    approvers: str = Field(default="role:approver", pattern=_WHOM)
    deadline: str = "4h"
    escalate: str | None = Field(default=None, pattern=_WHOM)
    above_fen: int | None = Field(default=None, ge=0)
    quorum_above: int | None = Field(default=None, ge=1, le=20)

    @field_validator("action")
    @classmethod
    def known(cls, action: str, info: ValidationInfo) -> str:
        return one_of(action, (each.action for each in areas_of(info).of(Approvable)))

    @field_validator("deadline")
    @classmethod
    def readable(cls, deadline: str) -> str:
        if not timedelta(minutes=1) <= span(deadline) <= timedelta(days=60):
            raise ValueError("between 1m and 60d")
        return deadline


def _scope_exists(declared: Declared, areas: Areas) -> Iterator[str]:
    known = programs(declared)
    for policy in declared["policy"]:
        if policy.scope != "*" and policy.scope not in known:
            yield f"policy {policy.action}: there is no program {policy.scope!r}"


def _policies(applying: Applying, declared: Declared) -> list[Change]:
    return rows(
        applying.session, "policy", Configuration(applying.session).policies(), lambda row: (row.action, row.scope),
        {
            (policy.action, policy.scope): {
                "quorum": policy.quorum, "approvers": policy.approvers,
                "deadline_seconds": int(span(policy.deadline).total_seconds()), "escalate": policy.escalate,
                "above_fen": policy.above_fen, "quorum_above": policy.quorum_above,
            }
            for policy in declared["policy"]
        },
        lambda key, values: Policy(action=key[0], scope=key[1], **values),
    )  # fmt: skip


TABLE = ConfigTable(
    "policy", PolicyTable, _policies, lambda row: f"{row.action} {row.scope}", _scope_exists
)  # fmt: skip
