"""The wrapped data keys of a database, and how a vault is opened from them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Engine, LargeBinary, String, insert, inspect, select, update
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.vault import INDEX_KEY_ID, Keys, Vault, VaultError, WrappedKey, new_wrapped_key, unwrap, wrap


class DataKey(Base):
    """A key that seals values (ids k1, k2 ...; the highest number is in use) or makes the blind index (id "index")."""

    __tablename__ = "data_key"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)


def open_vault(connection: Connection, secrets: Sequence[str]) -> Vault:
    """Open, or on an empty database create, the vault. Keys wrapped by an older secret are wrapped anew.

    Must run in a write transaction that no other process can be in (the migration lock). Raises VaultError.
    """
    rows = connection.execute(select(DataKey.id, DataKey.wrapped)).all()
    if not rows:
        for key_id in ("k1", INDEX_KEY_ID):
            fresh = new_wrapped_key(key_id, secrets[0])
            connection.execute(insert(DataKey).values(id=fresh.id, wrapped=fresh.wrapped))
        rows = connection.execute(select(DataKey.id, DataKey.wrapped)).all()
    keys: dict[str, bytes] = {}
    for key_id, wrapped in rows:
        opened, by_current = unwrap(WrappedKey(key_id, wrapped), secrets)
        keys[key_id] = opened
        if not by_current:
            fresh = wrap(key_id, opened, secrets[0])
            connection.execute(update(DataKey).where(DataKey.id == key_id).values(wrapped=fresh.wrapped))
    index_key = keys.pop(INDEX_KEY_ID)
    return Vault(keys, newest(keys), index_key)


def has_keys(engine: Engine) -> bool:
    """Whether a vault was made here before; False also where there is no schema yet."""
    with engine.connect() as connection:
        if not inspect(connection).has_table(DataKey.__tablename__):
            return False
        return connection.execute(select(DataKey.id).limit(1)).first() is not None


def newest(key_ids: Iterable[str]) -> str:
    """The id that counts: the highest number."""
    return max(key_ids, key=lambda key_id: int(key_id[1:]))


def read_keys(connection: Connection, secrets: Sequence[str]) -> Keys:
    """The data keys as they are now; nothing is written. Raises VaultError."""
    rows = connection.execute(select(DataKey.id, DataKey.wrapped).where(DataKey.id != INDEX_KEY_ID)).all()
    if not rows:
        raise VaultError("there are no data keys")
    keys = {key_id: unwrap(WrappedKey(key_id, wrapped), secrets)[0] for key_id, wrapped in rows}
    return Keys.of(keys, newest(keys))


def secret_fingerprint(secret: str) -> str:
    """Eight characters by which an operator can tell two secrets apart without seeing them."""
    return hashlib.sha256(b"fingerprint:" + secret.encode()).hexdigest()[:8]
