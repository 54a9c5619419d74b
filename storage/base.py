"""The declarative base: named constraints, so that a migration can drop them, and the column types of our values."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import BigInteger, Integer, MetaData, String
from sqlalchemy.orm import DeclarativeBase, mapped_column

from storage.column_types import BlindIndex, PlainJson, Sealed, SealedJson, UtcDateTime

# SQLite only counts up INTEGER primary keys by itself.
BigId = BigInteger().with_variant(Integer(), "sqlite")

id_key = Annotated[int, mapped_column(BigId, primary_key=True)]
key_text = Annotated[str, mapped_column(String(64))]
long_key = Annotated[str, mapped_column(String(200))]
money = Annotated[int, mapped_column(BigInteger)]
sealed = Annotated[str, mapped_column(Sealed)]
blind = Annotated[str, mapped_column(BlindIndex)]
sealed_json = Annotated[Any, mapped_column(SealedJson)]
plain_json = Annotated[Any, mapped_column(PlainJson)]


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime, str: String(200)}
