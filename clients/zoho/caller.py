"""One call to one organisation: token, exchange, a second try after a 401, and the answer as a record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TypeVar
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from clients.errors import Refused
from clients.zoho.auth import Access, ZohoAuth
from clients.zoho.codec import (
    INVENTORY,
    Answer,
    JsonObject,
    Quota,
    Request,
    read_answer,
    read_limit,
    read_quota,
    unclear,
)
from clients.zoho.records import Record
from clients.zoho.transport import exchange
from clients.zoho.turns import Turns

R = TypeVar("R", bound=Record)

MOST_ROWS = "200"  # the most a page of Zoho's has
_ANY_CASE = frozenset({"email", "contact_name"})  # Zoho compares these without regard to case, so do we


class Caller:
    """Calls Zoho for one organisation. `timeout` bounds one exchange as a whole, in seconds."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        auth: ZohoAuth,
        turns: Turns,
        *,
        organization_id: str,
        now: Callable[[], datetime],
        timeout: float,
    ) -> None:
        self.organization_id = organization_id
        self.quota: Quota | None = None
        self._http = http
        self._auth = auth
        self._turns = turns
        self._now = now
        self._timeout = timeout

    async def call(self, request: Request) -> JsonObject:
        """The envelope of a call that went well; else the ClientError it means."""
        access = await self._auth.access()
        answer = await self._send(request, access)
        if answer.status == 401 and not access.fresh:
            answer = await self._send(request, await self._auth.replace(access.token))
        return read_answer(request, answer)

    async def one(self, request: Request, kind: type[R], *keys: str) -> R:
        """The record under the first of `keys` that the answer has."""
        body = await self.call(request)
        found = next((body[key] for key in keys if key in body), None)
        if found is None:
            raise unclear(request, f"the answer has no {keys[0]}")
        return _record(request, kind, found)

    async def rows(self, request: Request, kind: type[R], key: str) -> tuple[list[R], bool]:
        """The records of a list's first page, and whether more pages follow."""
        body = await self.call(request)
        found = body.get(key)
        if not isinstance(found, list):
            raise unclear(request, f"the answer has no {key}")
        context = body.get("page_context")
        more = isinstance(context, dict) and context.get("has_more_page") is True
        return [_record(request, kind, row) for row in found], more

    async def find(
        self,
        path: str,
        kind: type[R],
        key: str,
        wanted: Mapping[str, str],
        private: Iterable[str] = (),
        *,
        narrowed: Mapping[str, str] | None = None,
        root: str = INVENTORY,
    ) -> list[R]:
        """The rows that have every value of `wanted` (empty ones left out), whatever Zoho made of the filter.

        `narrowed` are further filters that Zoho may ignore: the caller looks at the rows himself.

        Zoho ignores some filters in silence. Refused ("filter_ignored") where it sent other rows only and
        has more pages of them: then nothing was learnt. ValueError where nothing is wanted.
        """
        filters = {name: value for name, value in wanted.items() if value}
        if not filters:
            raise ValueError(f"looking in {path} for nothing in particular")
        params = {**filters, **(narrowed or {}), "per_page": MOST_ROWS}
        request = Request("GET", path, params, private=tuple(private), root=root)
        rows, more = await self.rows(request, kind, key)
        kept = [row for row in rows if all(_same(row, name, value) for name, value in filters.items())]
        if rows and more and not kept:
            names = ", ".join(filters)
            raise Refused("zoho", f"{request}: the filter on {names} was ignored", code="filter_ignored")
        return kept

    async def _send(self, request: Request, access: Access) -> Answer:
        scoped = Request(
            request.method,
            request.root + request.path,
            {"organization_id": self.organization_id, **request.params},
            request.body,
        )
        async with self._turns.one() as turn:
            turn.answer = answer = await exchange(
                self._http,
                scoped,
                base=access.base,
                headers={"Authorization": f"Zoho-oauthtoken {access.token.access_token}"},
                seconds=self._timeout,
            )
        self.quota = read_quota(answer.headers, self._now()) or self.quota
        limit = read_limit(answer)
        if limit is not None and limit.code == "45":
            raise self._turns.gone(limit.pause, turn.budget)
        return answer

    async def learn_zone(self, time_zone: str) -> None:
        """Keep the time zone in which the organisation's day ends."""
        await self._turns.learn_zone(time_zone)


def path(*parts: str) -> str:
    """The path made of `parts`, each quoted. ValueError for an empty one: it would name another resource."""
    if not all(parts):
        raise ValueError(f"an id is missing in {parts}")
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def _record(request: Request, kind: type[R], found: object) -> R:
    try:
        return kind.model_validate(found)
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, one["loc"])) or "all of it" for one in error.errors())
        raise unclear(request, f"the answer's {kind.__name__} cannot be read: {fields}") from None


def _same(row: Record, name: str, value: str) -> bool:
    found = str(getattr(row, name)).strip()
    wanted = value.strip()
    return found.casefold() == wanted.casefold() if name in _ANY_CASE else found == wanted
