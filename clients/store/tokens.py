"""Zoho's access token in the store: encrypted, one row per connection, refreshed by one process at a time."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select, update

from clients.keys import KeyRing
from clients.store.database import Database
from clients.store.schema import token_refreshes, tokens
from clients.zoho.tokens import Token

_KEEP_REFRESHES = timedelta(days=1)

_ROW = tokens.c.connection == bindparam("row_connection")
_READ = select(tokens).where(tokens.c.connection == bindparam("connection"), tokens.c.version > 0)
_LEASE = (
    update(tokens)
    .where(
        _ROW,
        tokens.c.version == bindparam("row_version"),
        or_(tokens.c.lease_until.is_(None), tokens.c.lease_until <= bindparam("now")),
    )
    .returning(tokens.c.version)
)
_SAVE = update(tokens).where(_ROW, tokens.c.version == bindparam("row_version"))
_HELD = _ROW & (tokens.c.lease_owner == bindparam("row_owner"))
_HELD_AT = select(tokens.c.leased_at).where(_HELD).with_for_update()
_END = update(tokens).where(_HELD).values(lease_owner="", lease_until=None)
_BEGUN = insert(token_refreshes)
_NOT_BEGUN = delete(token_refreshes).where(
    token_refreshes.c.connection == bindparam("connection"),
    token_refreshes.c.at == bindparam("at"),
    token_refreshes.c.owner == bindparam("owner"),
)
_OLD = delete(token_refreshes).where(
    token_refreshes.c.connection == bindparam("connection"), token_refreshes.c.at < bindparam("before")
)
_COUNT = select(func.count()).where(
    token_refreshes.c.connection == bindparam("connection"), token_refreshes.c.at > bindparam("since")
)


class Tokens:
    """The TokenStore that all workers of an install share."""

    def __init__(self, database: Database, keys: KeyRing) -> None:
        self._database = database
        self._keys = keys
        self._first = database.insert(tokens).on_conflict_do_nothing(index_elements=[tokens.c.connection])

    async def read(self, connection: str) -> Token | None:
        """The newest token, fresh or not; None before the first. UnknownKey, Tampered."""
        rows = await self._database.read(_READ, connection=connection)
        if not rows:
            return None
        row = rows[0]
        return Token(
            version=row.version,
            access_token=self._keys.decrypt(row.access_token, _bound_to(connection)).decode(),
            expires_at=row.expires_at,
            api_domain=row.api_domain,
        )

    async def lease(self, connection: str, *, version: int, owner: str, until: datetime, now: datetime) -> bool:
        """True for exactly one caller while no lease is live and `version` is the newest (0 = none yet)."""
        nothing = {"connection": connection, "version": 0, "access_token": b"", "api_domain": ""}
        row = {"row_connection": connection, "row_version": version, "now": now}
        held = {"lease_owner": owner, "lease_until": until, "leased_at": now}

        def work(visit: Connection) -> bool:
            if version == 0:
                visit.execute(self._first, nothing | {"lease_owner": ""})
            if visit.execute(_LEASE.values(**held), row).first() is None:
                return False
            before = {"connection": connection, "before": now - _KEEP_REFRESHES}
            visit.execute(_OLD, before)
            visit.execute(_BEGUN, {"connection": connection, "at": now, "owner": owner})
            return True

        return await self._database.write(work)

    async def save(
        self,
        connection: str,
        *,
        version: int,
        owner: str,
        access_token: str,
        expires_at: datetime,
        api_domain: str,
    ) -> None:
        """Store the token as `version` + 1, unless the version moved on, and end the owner's lease."""
        row = {"row_connection": connection, "row_version": version}
        token = {
            "version": version + 1,
            "access_token": self._keys.encrypt(access_token.encode(), _bound_to(connection)),
            "expires_at": expires_at,
            "api_domain": api_domain,
        }

        def work(visit: Connection) -> None:
            visit.execute(_SAVE.values(**token), row)
            visit.execute(_END, {"row_connection": connection, "row_owner": owner})

        await self._database.write(work)

    async def release(self, connection: str, *, owner: str) -> None:
        """End the owner's lease without a token; that refresh no longer counts."""
        row = {"row_connection": connection, "row_owner": owner}

        def work(visit: Connection) -> None:
            held = visit.execute(_HELD_AT, row).first()
            if held is not None:
                visit.execute(_END, row)
                refresh = {"connection": connection, "at": held.leased_at, "owner": owner}
                visit.execute(_NOT_BEGUN, refresh)

        await self._database.write(work)

    async def refreshes_since(self, connection: str, since: datetime) -> int:
        """Leases granted after `since` and not released; those of the last day are known."""
        rows = await self._database.read(_COUNT, connection=connection, since=since)
        return int(rows[0][0])


def _bound_to(connection: str) -> bytes:
    return f"token:{connection}".encode()
