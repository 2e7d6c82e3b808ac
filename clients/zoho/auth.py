"""The access token's life: one refresh for all, whoever asks and however many ask at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import uuid4

import httpx

from clients.errors import ClientError, TokenRefused, TryLater, Unreachable
from clients.zoho.codec import Request
from clients.zoho.datacenters import Hosts
from clients.zoho.oauth import WINDOW, Credentials, Grant, read_grant
from clients.zoho.tokens import Token, TokenStore
from clients.zoho.transport import exchange

_EARLY = timedelta(minutes=5)  # an hour's token is renewed at 55 minutes
_LAST = timedelta(seconds=30)  # younger than this to its end, a token is still used when its renewal failed
_MOST = 9  # refreshes in Zoho's window of ten minutes; the tenth is the last it grants
_FRESH = timedelta(minutes=3)  # two refreshes within this, and still refused: not the token is wrong
_LEASE = timedelta(seconds=15)
_CALL = 10.0  # seconds a refresh may take; shorter than its lease
_POLL = 0.25  # seconds between two looks at somebody else's refresh
_POLLS = 80  # longer than a lease, so that a dead refresher is outlived
_PAUSE = 10.0  # seconds without another try after a refusal


class Access(NamedTuple):
    """A token to send, where to, and whether it was got for this very request."""

    token: Token
    base: str
    fresh: bool


class ZohoAuth:
    """Hands out the connection's access token, renewed early and by one caller only.

    Within the process callers share one refresh; across processes the store's lease lets one through and the
    others read its token. A dead refresher's lease ends by itself. `now` and `sleep` are the clock.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        store: TokenStore,
        *,
        connection: str,
        credentials: Credentials,
        hosts: Hosts,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http = http
        self._store = store
        self._connection = connection
        self._credentials = credentials
        self._hosts = hosts
        self._now = now
        self._sleep = sleep
        self._token: Token | None = None
        self._flight: asyncio.Task[Token] | None = None
        self._refusal: tuple[datetime, ClientError] | None = None

    async def access(self) -> Access:
        """A token good for at least half a minute. TokenRefused, Unreachable or TryLater without one."""
        token = self._token or await self._store.read(self._connection)
        if token is not None and token.usable(self._now(), _EARLY):
            return self._grant(token, fresh=False)
        try:
            return self._grant(await self._renewed(token.version if token else 0), fresh=True)
        except TryLater:
            if token is None or not token.usable(self._now(), _LAST):
                raise
            return self._grant(token, fresh=False)

    async def replace(self, refused: Token) -> Access:
        """Another token after a 401 on `refused`: the newer one if somebody has it already, else a new one.

        TokenRefused where new tokens are refused as well, so another would not help.
        """
        newest = await self._store.read(self._connection)
        if newest is not None and newest.version > refused.version and newest.usable(self._now()):
            return self._grant(newest, fresh=True)
        return self._grant(await self._renewed(refused.version, refused=True), fresh=True)

    def _grant(self, token: Token, *, fresh: bool) -> Access:
        base = self._hosts.api_for(token.api_domain)
        if base is None:
            raise TokenRefused(
                "zoho",
                f"the token is for {token.api_domain}, which is no data centre we know: check"
                " zoho.data_center, or set zoho.api_base to that address if it is right",
                code="unknown_api_domain",
            )
        self._token = token
        return Access(token, base, fresh)

    async def _renewed(self, version: int, *, refused: bool = False) -> Token:
        """The token after `version`, by the refresh that is under way or by a new one.

        The refresh is a task of its own, so that a caller who is cancelled does not cancel it for the others.
        """
        if self._flight is None:
            self._flight = asyncio.create_task(self._refresh(version, refused))
            self._flight.add_done_callback(self._landed)
        return await asyncio.shield(self._flight)

    def _landed(self, flight: asyncio.Task[Token]) -> None:
        self._flight = None
        error = None if flight.cancelled() else flight.exception()
        if isinstance(error, TokenRefused):
            pause = timedelta(seconds=_PAUSE if error.retry_after is None else error.retry_after)
            self._refusal = (self._now() + pause, error)

    async def _refresh(self, version: int, refused: bool) -> Token:
        self._check_pause()
        owner = uuid4().hex
        for _ in range(_POLLS):
            token = await self._store.read(self._connection)
            newest = token.version if token else 0
            if token is not None and newest > version and token.usable(self._now()):
                return token
            now = self._now()
            if await self._store.lease(self._connection, version=newest, owner=owner, until=now + _LEASE, now=now):
                await self._check_limits(owner, refused)
                return await self._mint(newest, owner)
            await self._sleep(_POLL)
        raise TokenRefused("zoho", "another worker's token refresh does not end", retry_after=_PAUSE)

    async def _mint(self, version: int, owner: str) -> Token:
        """Ask Zoho for the token after `version`, the lease being ours.

        The lease is given back only where Zoho surely granted nothing; else it ends by itself and counts.
        """
        asked = self._now()
        try:
            grant = await self._ask()
        except (TokenRefused, Unreachable):
            await self._store.release(self._connection, owner=owner)
            raise
        token = Token(
            version=version + 1,
            access_token=grant.access_token,
            expires_at=asked + grant.lifetime,
            api_domain=grant.api_domain,
        )
        await self._store.save(
            self._connection,
            version=version,
            owner=owner,
            access_token=token.access_token,
            expires_at=token.expires_at,
            api_domain=token.api_domain,
        )
        return token

    async def _ask(self) -> Grant:
        request = Request("POST", "/oauth/v2/token")
        try:
            answer = await exchange(
                self._http,
                request,
                base=self._hosts.accounts,
                headers={},
                seconds=_CALL,
                form=self._credentials.form(),
            )
        except TryLater:
            raise
        except ClientError as error:  # the refresh may have happened, but nothing in the shop's books did
            raise TryLater("zoho", error.message, status=error.status) from None
        return read_grant(answer)

    def _check_pause(self) -> None:
        if self._refusal is None:
            return
        until, error = self._refusal
        left = (until - self._now()).total_seconds()
        if left > 0:
            raise TokenRefused("zoho", error.message, code=error.code, status=error.status, retry_after=left)
        self._refusal = None

    async def _check_limits(self, owner: str, refused: bool) -> None:
        """Give the lease back where another refresh would not help, or would be one too many.

        Asked only once the lease is ours: somebody else's refresh that is under way is waited for, not held against us.
        """
        error: TokenRefused | None = None
        if refused and await self._refreshes(_FRESH) > 2:
            error = TokenRefused(
                "zoho", "a token that was only just renewed is refused", status=401, retry_after=_PAUSE
            )
        elif await self._refreshes(WINDOW) > _MOST:
            error = TokenRefused(
                "zoho",
                f"{_MOST} token refreshes in ten minutes; Zoho blocks at ten, so no more for now",
                code="refresh_limit",
                retry_after=60.0,
            )
        if error is not None:
            await self._store.release(self._connection, owner=owner)
            raise error

    async def _refreshes(self, span: timedelta) -> int:
        return await self._store.refreshes_since(self._connection, self._now() - span)
