"""How a complaint is found by its number; a number without any letter is one."""

from __future__ import annotations

from sqlalchemy.orm import Session

from bot.contributions.search import Located, Lookup
from storage.areas.complaints import Complaints


def _find(session: Session, id: int) -> Located | None:
    complaint = Complaints(session).get(id)
    if complaint is None:
        return None
    return Located(complaint.number, f"complaint:{complaint.id}", complaint.program_key)


LOOKUP = Lookup("complaint", "c", _find, plain=True)
