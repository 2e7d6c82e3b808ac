"""Links: which id belongs to which. A cache with a date; Stripe and Zoho own the facts."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import and_, bindparam, delete, func, select

from clients.store.database import Database
from clients.store.schema import links

_KEY = (links.c.connection, links.c.kind, links.c.key)
_OF_KIND = (links.c.connection == bindparam("connection"), links.c.kind == bindparam("kind"))
_GET = select(links.c.value).where(*_OF_KIND, links.c.key == bindparam("key"))
_GET_MANY = select(links.c.key, links.c.value).where(*_OF_KIND, links.c.key.in_(bindparam("keys", expanding=True)))
_KEYS_OF = select(links.c.key, links.c.value).where(*_OF_KIND, links.c.value.in_(bindparam("values", expanding=True)))
_FORGET = delete(links).where(*_OF_KIND, links.c.key == bindparam("key"))
_MARKS = links.alias("marks")
_STALEST = (
    select(links.c.key, links.c.value)
    .outerjoin(
        _MARKS,
        and_(
            _MARKS.c.connection == links.c.connection,
            _MARKS.c.kind == bindparam("marks"),
            _MARKS.c.key == links.c.key,
        ),
    )
    .where(*_OF_KIND, links.c.at >= bindparam("since"))
    .order_by(func.coalesce(_MARKS.c.at, links.c.at), links.c.key)
    .limit(bindparam("count"))
)


class Links:
    """Values by (connection, kind, key). A key made of people's data is a pseudonym (`KeyRing.pseudonym`)."""

    def __init__(self, database: Database) -> None:
        self._database = database
        insert = database.insert(links)
        self._put = insert.on_conflict_do_update(
            index_elements=_KEY, set_={"value": insert.excluded.value, "at": insert.excluded.at}
        )

    async def put(self, connection: str, kind: str, key: str, value: str, *, at: datetime) -> None:
        """Remember `value`, in place of what was known before."""
        row = {"connection": connection, "kind": kind, "key": key, "value": value, "at": at}
        await self._database.execute(self._put, row)

    async def get(self, connection: str, kind: str, key: str) -> str | None:
        """The value, or None."""
        rows = await self._database.read(_GET, connection=connection, kind=kind, key=key)
        return str(rows[0].value) if rows else None

    async def get_many(self, connection: str, kind: str, keys: Collection[str]) -> dict[str, str]:
        """The values of those `keys` that are known."""
        rows = await self._database.read(_GET_MANY, connection=connection, kind=kind, keys=list(keys))
        return {row.key: row.value for row in rows}

    async def keys_of(self, connection: str, kind: str, values: Collection[str]) -> list[tuple[str, str]]:
        """Key and value of the links of a kind that have one of these `values`."""
        rows = await self._database.read(_KEYS_OF, connection=connection, kind=kind, values=list(values))
        return [(row.key, row.value) for row in rows]

    async def stalest(
        self, connection: str, kind: str, *, marks: str, since: datetime, count: int
    ) -> list[tuple[str, str]]:
        """Key and value of `count` links of a kind, made `since` then, whose mark (another kind, the same key) is the
        oldest; one without a mark counts from when it was made.
        """
        asked = {"connection": connection, "kind": kind, "marks": marks, "since": since, "count": count}
        return [(row.key, row.value) for row in await self._database.read(_STALEST, **asked)]

    async def forget(self, connection: str, kind: str, key: str) -> None:
        """Know nothing of it any more."""
        row = {"connection": connection, "kind": kind, "key": key}
        await self._database.execute(_FORGET, row)
