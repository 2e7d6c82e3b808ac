"""The access token as all workers share it: one row per connection, with a version and a lease."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class Token(BaseModel):
    """An access token. `version` goes up by one with each refresh; 0 means "none yet" and is never stored."""

    model_config = ConfigDict(frozen=True)

    version: int
    access_token: str = Field(repr=False)
    expires_at: AwareDatetime
    api_domain: str = ""

    def usable(self, at: datetime, margin: timedelta = timedelta(0)) -> bool:
        """Whether it is still good `margin` after `at`."""
        return at + margin < self.expires_at


class TokenStore(Protocol):
    """Where the token lives. Every key is the connection's slug."""

    async def read(self, connection: str) -> Token | None:
        """The newest token that was saved, fresh or not; None before the first."""
        ...

    async def lease(self, connection: str, *, version: int, owner: str, until: datetime, now: datetime) -> bool:
        """Compare and set: True for exactly one caller while no lease is live and `version` is the newest.

        `version` is 0 where there is no token yet. A lease that was granted counts as one refresh at `now`.
        """
        ...

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
        """Store the token as `version` + 1 and end the lease; nothing where the version has moved on."""
        ...

    async def release(self, connection: str, *, owner: str) -> None:
        """End the owner's lease without a token; that refresh no longer counts, for Zoho granted nothing."""
        ...

    async def refreshes_since(self, connection: str, since: datetime) -> int:
        """Refreshes that began after `since`: leases granted and not released."""
        ...


class MemoryTokens:
    """A TokenStore for one process: nothing survives it, and nobody else sees it."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}
        self._leases: dict[str, tuple[str, datetime]] = {}
        self._begun: dict[str, list[tuple[str, datetime]]] = {}

    async def read(self, connection: str) -> Token | None:
        """The newest token, or None."""
        return self._tokens.get(connection)

    async def lease(self, connection: str, *, version: int, owner: str, until: datetime, now: datetime) -> bool:
        """Grant the lease to one caller."""
        token = self._tokens.get(connection)
        held = self._leases.get(connection)
        if (token.version if token else 0) != version or (held and now < held[1]):
            return False
        self._leases[connection] = (owner, until)
        self._begun.setdefault(connection, []).append((owner, now))
        return True

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
        """Keep the token unless a newer one is there, and end the owner's lease."""
        token = self._tokens.get(connection)
        if (token.version if token else 0) == version:
            self._tokens[connection] = Token(
                version=version + 1, access_token=access_token, expires_at=expires_at, api_domain=api_domain
            )
        self._end(connection, owner)

    async def release(self, connection: str, *, owner: str) -> None:
        """End the owner's lease and forget its refresh."""
        if self._end(connection, owner):
            begun = self._begun[connection]
            begun.remove(next(entry for entry in reversed(begun) if entry[0] == owner))

    async def refreshes_since(self, connection: str, since: datetime) -> int:
        """Count the refreshes that began after `since`."""
        return sum(at > since for _, at in self._begun.get(connection, ()))

    def _end(self, connection: str, owner: str) -> bool:
        held = self._leases.get(connection)
        if held is None or held[0] != owner:
            return False
        del self._leases[connection]
        return True
