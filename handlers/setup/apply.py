"""Making the database say what the apply file says. The same file twice changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from handlers.setup.applyfile import ApplyFile, settings_of, span
from storage.audit import Audit
from storage.base import Base
from storage.digests import Subscriptions
from storage.people import People
from storage.setup import Account, Chat, ComplaintRoute, Policy, Program, ReplyTemplate, Setup

_DAILY = "digest.daily"


@dataclass(frozen=True, slots=True)
class Change:
    """`kind`: + added, ~ changed, - removed."""

    kind: str
    what: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.what}" + (f"  ({self.detail})" if self.detail else "")


def apply(session: Session, declared: ApplyFile, folder: Path, now: datetime, audit_key: bytes) -> list[Change]:
    """Change what differs within the caller's transaction (roll it back for a dry run) and tell what that was.

    Rows that the file no longer has are removed; roles and subscriptions given in chat stay.
    """
    setup = Setup(session)
    changes: list[Change] = []
    changes += _rows(
        session, "account", setup.accounts(), lambda row: row.key,
        {
            account.key: {
                "channel": account.channel, "mode": account.mode, "settings": settings_of(account, folder),
            }
            for account in declared.account
        },
        lambda key, values: Account(key=key, changed_at=now, **values),
        touch=now,
    )  # fmt: skip
    changes += _rows(
        session, "program", setup.programs(), lambda row: row.key,
        {
            program.key: {
                "account_key": program.account, "name": program.name, "chat_id": program.chat, "owner": program.owner,
            }
            for program in declared.program
        },
        lambda key, values: Program(key=key, **values),
    )  # fmt: skip
    changes += _rows(
        session, "chat", setup.chats(), lambda row: row.chat_id, _chats(declared),
        lambda key, values: Chat(chat_id=key, bot_present=True, **values),
    )  # fmt: skip
    changes += _rows(
        session, "complaint_route", setup.routes(), lambda row: row.account_key,
        {
            route.account: {"program_key": route.program, "chat_id": route.chat or _chat_of(declared, route.program)}
            for route in declared.complaint_route
        },
        lambda key, values: ComplaintRoute(account_key=key, **values),
    )  # fmt: skip
    changes += _rows(
        session, "reply_template", setup.templates(), lambda row: row.key,
        {
            template.key: {"title": template.title, "body": template.text, "place": place}
            for place, template in enumerate(declared.reply_template)
        },
        lambda key, values: ReplyTemplate(key=key, **values),
    )  # fmt: skip
    changes += _rows(
        session, "policy", setup.policies(), lambda row: (row.action, row.scope),
        {
            (policy.action, policy.scope): {
                "quorum": policy.quorum, "approvers": policy.approvers,
                "deadline_seconds": int(span(policy.deadline).total_seconds()), "escalate": policy.escalate,
                "above_fen": policy.above_fen, "quorum_above": policy.quorum_above,
            }
            for policy in declared.policy
        },
        lambda key, values: Policy(action=key[0], scope=key[1], **values),
    )  # fmt: skip
    changes += _custom_roles(session, declared)
    changes += _roles(session, declared, now)
    changes += _subscriptions(session, declared, now)
    session.flush()
    if changes:
        Audit(session, audit_key).add(
            at=now, actor_id=None, event="setup.applied", subject="setup", params={"changes": len(changes)}
        )
    return changes


def _rows(
    session: Session,
    what: str,
    existing: Iterable[Any],
    key_of: Callable[[Any], Hashable],
    wanted: Mapping[Any, Mapping[str, Any]],
    make: Callable[[Any, Mapping[str, Any]], Base],
    touch: datetime | None = None,
) -> list[Change]:
    changes: list[Change] = []
    found = {key_of(row): row for row in existing}
    for key, row in found.items():
        if key not in wanted:
            session.delete(row)
            changes.append(Change("-", f"{what} {_shown(key)}"))
    for key, values in wanted.items():
        row = found.get(key)
        if row is None:
            session.add(make(key, values))
            changes.append(Change("+", f"{what} {_shown(key)}"))
            continue
        differing = [name for name, value in values.items() if getattr(row, name) != value]
        for name in differing:
            setattr(row, name, values[name])
        if differing:
            if touch is not None:
                row.changed_at = touch
            changes.append(Change("~", f"{what} {_shown(key)}", ", ".join(differing)))
    return changes


def _shown(key: object) -> str:
    return " ".join(str(part) for part in key) if isinstance(key, tuple) else str(key)


def _chats(declared: ApplyFile) -> dict[str, dict[str, Any]]:
    """Chats that are declared, and those that programs name."""
    chats = {
        program.chat: {"name": program.name, "zone": "Asia/Shanghai", "language": "zh_cn"}
        for program in declared.program
    }
    for chat in declared.chat:
        known = chats.get(chat.id, {"name": chat.id})
        chats[chat.id] = {"name": chat.name or known["name"], "zone": chat.zone, "language": chat.language}
    return chats


def _chat_of(declared: ApplyFile, key: str) -> str:
    return next((program.chat for program in declared.program if program.key == key), "")


def _custom_roles(session: Session, declared: ApplyFile) -> list[Change]:
    people = People(session)
    found = people.custom_roles()
    changes: list[Change] = []
    for role in declared.custom_role:
        permissions = sorted(permission.value for permission in role.permissions)
        if list(found.get(role.name, ())) != permissions:
            changes.append(Change("~" if role.name in found else "+", f"custom_role {role.name}"))
            people.set_custom_role(role.name, permissions)
    for name in set(found) - {role.name for role in declared.custom_role}:
        people.drop_custom_role(name)
        changes.append(Change("-", f"custom_role {name}"))
    session.flush()
    return changes


def _roles(session: Session, declared: ApplyFile, now: datetime) -> list[Change]:
    people = People(session)
    changes: list[Change] = []
    wanted = {(role.person, role.role, role.scope) for role in declared.role}
    for person in people.all():
        for held in [held for held in person.roles if held.source == "file"]:
            if (person.open_id, held.role, held.scope) not in wanted:
                people.revoke(person, held.role, held.scope)
                changes.append(Change("-", f"role {held.role} {held.scope}", _masked(person.open_id)))
    for role in declared.role:
        known = people.by_open_id(role.person)
        if known is not None and not known.is_active:
            changes.append(Change("!", f"role {role.role} {role.scope}", f"{_masked(role.person)} has left: not given"))
            continue
        person = people.ensure(role.person, name=role.name, at=now)
        if people.grant(person, role.role, role.scope, at=now, source="file"):
            changes.append(Change("+", f"role {role.role} {role.scope}", _masked(role.person)))
    return changes


def _masked(open_id: str) -> str:
    return f"{open_id[:6]}…{open_id[-2:]}"


def _subscriptions(session: Session, declared: ApplyFile, now: datetime) -> list[Change]:
    subscriptions = Subscriptions(session)
    changes: list[Change] = []
    wanted = {row.chat: time.fromisoformat(row.at) for row in declared.subscription}
    for old in subscriptions.all():
        if old.source == "file" and old.chat_id not in wanted:
            session.delete(old)
            changes.append(Change("-", f"subscription {old.chat_id}"))
    for chat, at in wanted.items():
        row = subscriptions.get(_DAILY, chat)
        if row is None or (row.source == "file" and (row.hour, row.minute) != (at.hour, at.minute)):
            changes.append(Change("+" if row is None else "~", f"subscription {chat}", at.strftime("%H:%M")))
            subscriptions.set(_DAILY, chat, at.hour, at.minute, at=now, source="file")
    return changes
