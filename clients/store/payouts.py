"""What payouts are made of, and the certificates that were issued for them: no people's data is in either."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, String, bindparam, delete, exists, select
from sqlalchemy.ext.compiler import compiles

from clients.store.database import Database
from clients.store.schema import certificates, payout_lines


class _State(ColumnElement[str]):
    """The payout's state in the text of a certificate: of 10,000 lines only a word is read."""

    inherit_cache = True
    type = String()


class _Findings(ColumnElement[int]):
    """How many findings are in the text of a certificate."""

    inherit_cache = True
    type = Integer()


@compiles(_State, "sqlite")
def _state_in_sqlite(element: _State, compiler: Any, **kw: Any) -> str:
    return "json_extract(certificates.document, '$.certificate.payout.status')"


@compiles(_State, "postgresql")
def _state_in_postgresql(element: _State, compiler: Any, **kw: Any) -> str:
    return "(CAST(certificates.document AS JSON) #>> '{certificate,payout,status}')"


@compiles(_Findings, "sqlite")
def _findings_in_sqlite(element: _Findings, compiler: Any, **kw: Any) -> str:
    return "json_array_length(certificates.document, '$.certificate.findings')"


@compiles(_Findings, "postgresql")
def _findings_in_postgresql(element: _Findings, compiler: Any, **kw: Any) -> str:
    return "json_array_length(CAST(certificates.document AS JSON) #> '{certificate,findings}')"


_OF = (payout_lines.c.connection == bindparam("connection"), payout_lines.c.payout_id == bindparam("payout_id"))
_LINES = select(payout_lines.c.line).where(*_OF).order_by(payout_lines.c.place)
_FROM = delete(payout_lines).where(*_OF, payout_lines.c.place >= bindparam("since"))
_ISSUED = (certificates.c.connection == bindparam("connection"), certificates.c.payout_id == bindparam("payout_id"))
_VERSIONS = select(certificates.c.document).where(*_ISSUED).order_by(certificates.c.version)
_SAME = select(certificates.c.hash).where(*_ISSUED, certificates.c.version == bindparam("version"))
_STATES = (
    select(certificates.c.payout_id, _State().label("state"), _Findings().label("findings"))
    .where(
        certificates.c.connection == bindparam("connection"),
        certificates.c.payout_id.in_(bindparam("payout_ids", expanding=True)),
    )
    .order_by(certificates.c.version)
)
_LAST = select(certificates.c.document).where(*_ISSUED).order_by(certificates.c.version.desc()).limit(1)
_LATER = certificates.alias("later")
_OPEN = (
    select(certificates.c.payout_id, certificates.c.version, certificates.c.document, certificates.c.at)
    .where(
        certificates.c.connection == bindparam("connection"),
        certificates.c.payout_id > bindparam("after"),
        certificates.c.at >= bindparam("since"),
        _Findings() > 0,
        ~exists().where(
            _LATER.c.connection == certificates.c.connection,
            _LATER.c.payout_id == certificates.c.payout_id,
            _LATER.c.version > certificates.c.version,
        ),
    )
    .order_by(certificates.c.payout_id)
    .limit(bindparam("limit"))
)
_NEWEST = (
    select(certificates.c.payout_id, certificates.c.version, certificates.c.document, certificates.c.at)
    .where(certificates.c.connection == bindparam("connection"))
    .order_by(certificates.c.at.desc(), certificates.c.payout_id, certificates.c.version.desc())
    .limit(bindparam("limit"))
)


@dataclass(frozen=True)
class Issued:
    """A certificate as it was issued; `document` is its JSON."""

    payout_id: str
    version: int
    document: str
    at: datetime


@dataclass(frozen=True)
class CertifiedState:
    """A certificate in short: the payout's state in Stripe's word, and how much was found to be open."""

    state: str
    findings: int


class Payouts:
    """Lines by (connection, payout, place), certificates by (connection, payout, version)."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._put = database.insert(payout_lines)
        self._issue = database.insert(certificates).on_conflict_do_nothing()

    async def put_lines(self, connection: str, payout_id: str, place: int, lines: Sequence[str]) -> None:
        """Keep `lines` from `place` (0 is the first) on, in place of all that was there from it on."""
        about: dict[str, object] = {"connection": connection, "payout_id": payout_id}
        rows = [about | {"place": place + number, "line": line} for number, line in enumerate(lines)]

        def work(visit: Connection) -> None:
            visit.execute(_FROM, about | {"since": place})
            if rows:
                visit.execute(self._put, rows)

        await self._database.write(work)

    async def lines(self, connection: str, payout_id: str) -> list[str]:
        """The lines that were kept, in their order."""
        rows = await self._database.read(_LINES, connection=connection, payout_id=payout_id)
        return [str(row.line) for row in rows]

    async def issue(
        self, connection: str, payout_id: str, version: int, hash_: str, *, document: str, at: datetime
    ) -> bool:
        """Keep a certificate for good. False where another one of this version stands already."""
        key = {"connection": connection, "payout_id": payout_id, "version": version}
        row = key | {"hash": hash_, "document": document, "at": at}

        def work(visit: Connection) -> bool:
            visit.execute(self._issue, row)
            return bool(visit.execute(_SAME, key).scalar_one() == hash_)

        return await self._database.write(work)

    async def versions(self, connection: str, payout_id: str) -> list[str]:
        """Every certificate of the payout as JSON, oldest first."""
        rows = await self._database.read(_VERSIONS, connection=connection, payout_id=payout_id)
        return [str(row.document) for row in rows]

    async def newest(self, connection: str, payout_id: str) -> str | None:
        """The newest certificate of the payout as JSON; None where none was issued."""
        rows = await self._database.read(_LAST, connection=connection, payout_id=payout_id)
        return str(rows[0].document) if rows else None

    async def states(self, connection: str, payout_ids: Collection[str]) -> dict[str, CertifiedState]:
        """What the newest certificate of each payout tells; none of one without."""
        rows = await self._database.read(_STATES, connection=connection, payout_ids=list(payout_ids))
        return {str(row.payout_id): CertifiedState(str(row.state), int(row.findings or 0)) for row in rows}

    async def issued(self, connection: str, limit: int) -> list[Issued]:
        """The certificates issued last, newest first."""
        rows = await self._database.read(_NEWEST, connection=connection, limit=limit)
        return [Issued(row.payout_id, row.version, row.document, row.at) for row in rows]

    async def open_ones(self, connection: str, since: datetime, after: str, limit: int) -> list[Issued]:
        """The newest certificates of payouts with ids beyond `after`, that were issued at `since` or later and name
        something open; in the order of their payouts.
        """
        about = {"connection": connection, "since": since, "after": after, "limit": limit}
        rows = await self._database.read(_OPEN, **about)
        return [Issued(row.payout_id, row.version, row.document, row.at) for row in rows]
