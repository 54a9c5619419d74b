"""How a request for approval is found by its number."""

from __future__ import annotations

from sqlalchemy.orm import Session

from bot.contributions.search import Located, Lookup
from storage.areas.approvals import Approvals


def _find(session: Session, id: int) -> Located | None:
    request = Approvals(session).get(id)
    return Located(request.number, request.story, request.scope) if request is not None else None


LOOKUP = Lookup("approval", "a", _find)
