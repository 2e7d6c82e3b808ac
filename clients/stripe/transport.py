"""The SDK's HTTP transport: each request at its turn, and seen by a watch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import stripe

from clients.stripe.pace import Pace
from clients.watch import Watch


class StripeHttp(stripe.HTTPXClient):
    """Requests wait for `pace`; `watch` sees each one, without its wait."""

    def __init__(self, pace: Pace, watch: Watch, timeout: httpx.Timeout) -> None:
        super().__init__(timeout=timeout)
        self._pace = pace
        self._watch = watch

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """The answer's body, status and headers, the status told to the watch."""
        await self._pace.turn(method, url)
        with self._watch.call("stripe", method, url) as exchange:
            answered = await super().request_async(method, url, headers, post_data)
            exchange.status = answered[1]
            return answered
