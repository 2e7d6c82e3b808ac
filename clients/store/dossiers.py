"""Dossiers: people's data of a payment, encrypted, deleted by policy, rebuilt from Stripe when missing."""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy import bindparam, delete, select

from clients.keys import KeyRing
from clients.store.database import Database
from clients.store.schema import dossiers

_KEY = (dossiers.c.connection, dossiers.c.payment_id, dossiers.c.part)
_OF = (
    dossiers.c.connection == bindparam("connection"),
    dossiers.c.payment_id == bindparam("payment_id"),
)
_GET = select(dossiers.c.data).where(*_OF, dossiers.c.part == bindparam("part"))
_FORGET = delete(dossiers).where(*_OF)


class Dossiers:
    """The parts of each payment's dossier. A ciphertext moved to another row does not decrypt."""

    def __init__(self, database: Database, keys: KeyRing) -> None:
        self._database = database
        self._keys = keys
        insert = database.insert(dossiers)
        self._put = insert.on_conflict_do_update(
            index_elements=_KEY,
            set_={"data": insert.excluded.data, "ref": insert.excluded.ref, "at": insert.excluded.at},
        )

    async def put(self, connection: str, payment_id: str, part: str, data: bytes, *, at: datetime) -> str:
        """Keep `data` in place of what was there. The answer stands for the content without telling it."""
        ref = self._keys.pseudonym(data)
        row = {
            "connection": connection,
            "payment_id": payment_id,
            "part": part,
            "data": self._keys.encrypt(data, _bound_to(connection, payment_id, part)),
            "ref": ref,
            "at": at,
        }
        await self._database.execute(self._put, row)
        return ref

    async def get(self, connection: str, payment_id: str, part: str) -> bytes | None:
        """What was kept; None where it is missing or was forgotten. UnknownKey, Tampered."""
        rows = await self._database.read(_GET, connection=connection, payment_id=payment_id, part=part)
        if not rows:
            return None
        return self._keys.decrypt(rows[0].data, _bound_to(connection, payment_id, part))

    async def forget(self, connection: str, payment_id: str) -> None:
        """Delete every part, for good."""
        row = {"connection": connection, "payment_id": payment_id}
        await self._database.execute(_FORGET, row)


def _bound_to(connection: str, payment_id: str, part: str) -> bytes:
    return json.dumps(["dossier", connection, payment_id, part]).encode()
