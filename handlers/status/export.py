"""The audit as a table for spreadsheet programs, in which no text that somebody typed becomes a formula."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterable
from typing import TextIO
from zoneinfo import ZoneInfo

from bot.texts import Catalogue, Language
from handlers.status.audit_card import happened, who
from storage.areas.people import People
from storage.core.audit import AuditEntry

HEADINGS = ("entry", "time", "who", "subject", "what")
_BYTE_ORDER_MARK = "\ufeff"  # without it Excel takes UTF-8 for something else
_FORMULA = "=+-@"


def cell(words: str) -> str:
    """The text with an apostrophe before it where a spreadsheet program could take it for more than text.

    Programs skip spaces and invisible characters before a formula, and some take full-width signs for the narrow ones.
    """
    if words[:1] in ("\t", "\r", "\n"):
        return "'" + words
    for character in words:
        if character.isspace() or unicodedata.category(character) in ("Cc", "Cf", "Zs"):
            continue
        return "'" + words if unicodedata.normalize("NFKC", character)[:1] in _FORMULA else words
    return words


def write(
    entries: Iterable[AuditEntry], people: People, catalogue: Catalogue, language: Language, zone: str, file: TextIO
) -> None:
    """All entries as CSV (RFC 4180, every field quoted). Times are ISO 8601 in `zone`."""
    place = ZoneInfo(zone)
    file.write(_BYTE_ORDER_MARK)
    table = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    table.writerow(HEADINGS)
    for entry in entries:
        name = catalogue.render(who(entry, people), language, zone=zone)
        what = catalogue.render(happened(entry, people), language, zone=zone)
        time = entry.at.astimezone(place).isoformat(timespec="seconds")
        table.writerow((entry.id, time, cell(name), cell(entry.subject), cell(what)))
