"""One HTTP exchange, bounded as a whole, its failures sorted by whether anything was sent."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import httpx

from clients.errors import Unreachable
from clients.watch import UNWATCHED, Watch
from clients.zoho.codec import Answer, Request, encode, unclear

# What httpx raises before the first byte of a request leaves.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


class WatchedClient(httpx.AsyncClient):
    """An HTTP client whose every request is seen by a watch."""

    def __init__(self, watch: Watch, **options: Any) -> None:
        super().__init__(**options)
        self._watch = watch

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """The answer, its status told to the watch."""
        with self._watch.call("zoho", request.method, str(request.url)) as exchange:
            response = await super().send(request, **options)
            exchange.status = response.status_code
            return response


def open_http(*, connections: int = 10, watch: Watch = UNWATCHED) -> httpx.AsyncClient:
    """An HTTP client for Zoho, `connections` at most: a paid organisation may have ten calls in process.

    Each organisation's client should have its own. httpx would log every address with its query, in which people's
    e-mails stand: here it is told not to.
    """
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return WatchedClient(
        watch,
        timeout=httpx.Timeout(None, connect=5.0, pool=5.0),
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        follow_redirects=False,
    )


async def exchange(
    http: httpx.AsyncClient,
    request: Request,
    *,
    base: str,
    headers: Mapping[str, str],
    seconds: float,
    form: Mapping[str, str] | None = None,
) -> Answer:
    """Send `request` to `base` and take the whole answer within `seconds`.

    Unreachable where nothing was sent; OutcomeUnknown (a write) or TryLater (a read) where no answer came.
    """
    content = None if request.body is None else encode(request.body).encode()
    kind = {"Content-Type": "application/json"} if content is not None else {}
    try:
        async with asyncio.timeout(seconds):
            response = await http.request(
                request.method,
                base + request.path,
                params=request.params or None,
                headers={"Accept": "application/json", **kind, **headers},
                content=content,
                data=form,
            )
    except _NOT_SENT as error:
        raise Unreachable("zoho", f"{request}: no connection to {base} ({type(error).__name__})") from None
    except TimeoutError:
        raise unclear(request, f"no answer within {seconds:g} s") from None
    except httpx.RequestError as error:
        raise unclear(request, f"the connection broke ({type(error).__name__})") from None
    names = {name.lower(): value for name, value in response.headers.items()}
    return Answer(status=response.status_code, headers=names, content=response.content)
