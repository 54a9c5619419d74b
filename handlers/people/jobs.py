"""Keeping people true: names from Feishu, and leavers whom no event told about."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from bot.feishu.errors import FeishuError
from bot.feishu.port import ContactsPort
from bot.jobs.engine import Payload
from bot.unit import Units
from handlers.people.offboarding import leave
from storage.areas.people import People

log = structlog.get_logger("people")

CHECK = "people.check"


@dataclass(frozen=True, slots=True)
class PeopleJobs:
    units: Units
    feishu: ContactsPort

    def check(self, payload: Payload) -> None:
        """Ask Feishu about everybody we know, for the event of a leaver may be lost.

        docs/platforms/feishu.md ("Directory and contacts")
        """
        with self.units.read() as session:
            known = [person.open_id for person in People(session).all() if person.is_active]
        if not known:
            return
        try:
            users = self.feishu.users(known)
        except FeishuError as error:
            log.warning("people.check_failed", why=type(error).__name__, code=error.code)
            return
        with self.units.write(f"people-check-{payload.get('at', '')}") as unit:
            for user in users:
                person = unit.people.by_open_id(user.open_id)
                if person is None or not person.is_active:
                    continue
                if not user.active:
                    leave(unit, person)
                elif user.name and user.name != person.name:
                    person.name = user.name
