"""The policy of an action: who must agree, by when, and who is asked when they do not answer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Protocol

from bot.area import Areas
from bot.contributions.permissions import Permission
from bot.permissions import Actor
from storage.areas.configuration import Configuration
from storage.areas.people import People, Person

DEFAULT_DEADLINE = timedelta(hours=4)
VOTE = Permission("approval.vote")  # and only for what a policy names one an approver of


class Books(Protocol):
    """What a policy is looked up in: a unit of work, or a drawing's session."""

    @property
    def people(self) -> People: ...

    @property
    def configuration(self) -> Configuration: ...

    @property
    def areas(self) -> Areas: ...


@dataclass(frozen=True, slots=True)
class ReadBooks:
    people: People
    configuration: Configuration
    areas: Areas


@dataclass(frozen=True, slots=True)
class Rule:
    """A policy as it stood when something was asked; kept with the request.

    `approvers` and `escalate`: `role:NAME`, `person:OPEN_ID` or `owner`.
    """

    quorum: int = 1
    approvers: str = "role:approver"
    deadline_seconds: int = int(DEFAULT_DEADLINE.total_seconds())
    escalate: str | None = "role:admin"
    above_fen: int | None = None
    quorum_above: int | None = None

    def stored(self) -> dict[str, Any]:
        return asdict(self)


def rule_for(books: Books, action: str, scope: str) -> Rule:
    """The declared policy, or a careful default: one approver, four hours, then the administrators."""
    policy = books.configuration.policy(action, scope)
    if policy is None:
        return Rule()
    return Rule(
        policy.quorum, policy.approvers, policy.deadline_seconds, policy.escalate, policy.above_fen, policy.quorum_above
    )


def people(books: Books, whom: str | None, scope: str) -> list[Person]:
    """Active people behind `role:NAME`, `person:OPEN_ID` or `owner` (of the program)."""
    if not whom:
        return []
    kind, _, name = whom.partition(":")
    if kind == "role":
        return books.people.holding(name, scope)
    if kind == "owner":
        program = books.configuration.program(scope)
        name = program.owner or "" if program is not None else ""
    person = books.people.by_open_id(name) if name else None
    return [person] if person is not None and person.is_active else []


def _may(books: Books, person: Person, scope: str) -> bool:
    return books.areas.roles.actor(person, books.people.custom_roles()).may(VOTE, scope)


def voters(books: Books, rule: Rule, scope: str, *, escalated: bool, not_id: int) -> list[Person]:
    """Who may decide now: by the policy and their permissions, still here, and not the one who asked."""
    found = people(books, rule.approvers, scope)
    if escalated:
        found += [person for person in people(books, rule.escalate, scope) if person not in found]
    return [person for person in found if person.id != not_id and _may(books, person, scope)]


def may_vote(books: Books, actor: Actor, rule: Rule, scope: str, *, escalated: bool, not_id: int) -> bool:
    allowed = {person.id for person in voters(books, rule, scope, escalated=escalated, not_id=not_id)}
    return actor.active and actor.id in allowed
