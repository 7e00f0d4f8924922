"""Configurations by content: each bundle is kept once under its hash, so that the past can be explained."""

from __future__ import annotations

import zlib
from datetime import datetime

from sqlalchemy import exists, insert, select
from sqlalchemy.exc import IntegrityError

from router.ledger import schema as t
from router.ledger.database import Database


class ConfigurationStore:
    """Keeps and finds bundles; what is in one is the business of whoever loads configurations."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def keep(self, hash_: str, content: bytes, now: datetime) -> None:
        """Keep this bundle unless it is kept already."""
        c = t.configurations.c
        with self._db.read() as connection:
            if connection.execute(select(exists().where(c.hash == hash_))).scalar():
                return
        row = {"hash": hash_, "content": zlib.compress(content), "created_at": now}
        try:
            with self._db.write() as connection:
                connection.execute(insert(t.configurations), row)
        except IntegrityError:
            return  # another process of the same release keeps it too

    def find(self, hash_: str) -> bytes | None:
        c = t.configurations.c
        with self._db.read() as connection:
            content: bytes | None = connection.execute(select(c.content).where(c.hash == hash_)).scalar()
        return None if content is None else zlib.decompress(content)
