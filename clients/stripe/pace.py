"""Stripe's limits kept before it says so: requests a second of an account, and of each of its endpoints."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from aiolimiter import AsyncLimiter

from clients.connections import StripeAccount

# docs.stripe.com/rate-limits
LIVE, TEST = 100, 25
_ID = re.compile(r"(?=.*[0-9A-Z])")  # no word of a path has a digit or a capital, every id has one
_BURST = 0.2  # of a second's requests may come at once, and 0.75 of them follow evenly: under the limit in any second
_EVEN = 0.75


class Pace:
    """One account's pace in this process, shared by all who speak to it."""

    def __init__(self, per_second: int, per_endpoint: int) -> None:
        self._per_endpoint = per_endpoint
        self._account = _limiter(per_second)
        self._endpoints: dict[str, AsyncLimiter] = {}

    async def turn(self, method: str, url: str) -> None:
        """Wait until the request may be sent."""
        name = endpoint(method, url)
        if name not in self._endpoints:
            self._endpoints[name] = _limiter(self._per_endpoint)
        await self._endpoints[name].acquire()
        await self._account.acquire()


class Paces:
    """The paces of one process: connections of one account and mode share one."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, bool], Pace] = {}

    def of(self, account: StripeAccount) -> Pace:
        """The account's pace, by the settings of whoever asked first."""
        return self._known.setdefault((account.account_id, account.livemode), pace_of(account))


def pace_of(account: StripeAccount) -> Pace:
    """A pace by the account's settings, else by Stripe's own limits."""
    return Pace(account.requests_per_second or (LIVE if account.livemode else TEST), account.requests_per_endpoint)


def endpoint(method: str, url: str) -> str:
    """What Stripe counts as one endpoint: `GET /v1/payment_intents/*`."""
    version, *words = urlsplit(url).path.strip("/").split("/")
    return f"{method.upper()} /{'/'.join([version, *('*' if _ID.match(word) else word for word in words)])}"


def _limiter(per_second: int) -> AsyncLimiter:
    burst = max(1.0, per_second * _BURST)
    return AsyncLimiter(burst, burst / (per_second * _EVEN))
