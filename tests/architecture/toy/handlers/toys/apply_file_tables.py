"""What is declared of toys, looked at by doctor, and told to machines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from flask import Blueprint, Response, jsonify
from pydantic import Field
from sqlalchemy.orm import Session

from bot.contributions.configuration import Applying, Change, ConfigTable, Declared, Table
from bot.contributions.doctor import Check, Finding
from bot.contributions.gauges import Gauge
from bot.telemetry.gauges import Reading, one
from bot.unit import Units
from handlers.shared.apply_file_rows import rows
from storage.areas.toys import Toys, ToyShelf


class ShelfTable(Table):
    name: str = Field(pattern=r"^[a-z]+$")


def _shelves(applying: Applying, declared: Declared) -> list[Change]:
    return rows(
        applying.session, "toy_shelf", Toys(applying.session).shelves(), lambda row: row.name,
        {shelf.name: {} for shelf in declared["toy_shelf"]}, lambda key, values: ToyShelf(name=key),
    )  # fmt: skip


def _examined(session: Session) -> Iterator[Finding]:
    count = len(Toys(session).shelves())
    yield Finding("toys", "shelves", count > 0, f"there are {count}", "declare a [[toy_shelf]]")


def _read(session: Session, now: datetime) -> Iterator[Reading]:
    yield one("toys_open", "Toys that were promised and not given", len(Toys(session).open()))


def routes(units: Units) -> Blueprint:
    page = Blueprint("toys", __name__)

    @page.get("/toys/<int:id>")
    def tell(id: int) -> tuple[Response, int]:
        with units.read() as session:
            toy = Toys(session).get(id)
        if toy is None:
            return jsonify(name=None), 404
        return jsonify(name=toy.name, counted=toy.counted, told=toy.told, maker=toy.maker_id), 200

    return page


TABLE = ConfigTable("toy_shelf", ShelfTable, _shelves, lambda row: str(row.name), place=9)
CHECK = Check("toys", _examined)
GAUGE = Gauge("toys", _read)
