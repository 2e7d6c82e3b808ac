"""What every webhook has in common: a body read within bounds, and a refusal that tells a stranger nothing."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Container

from aiohttp import web

from ingress.limits import Limits
from ingress.metrics import Metrics

log = logging.getLogger(__name__)


class Refusal(Exception):
    """The delivery ends here with `status`; `reason` is for counter and log, the sender gets an id."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


async def read_body(request: web.Request, limits: Limits) -> bytes:
    """The raw bytes. Refusal 415 encoded, 413 too large, 408 too slow, 400 broken off."""
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise Refusal(415, "encoded")
    if (request.content_length or 0) > limits.body_bytes:
        raise Refusal(413, "too-large")
    try:
        async with asyncio.timeout(limits.body_seconds):
            return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise Refusal(413, "too-large") from error
    except TimeoutError as error:
        raise Refusal(408, "too-slow") from error
    except (web.RequestPayloadError, ConnectionError) as error:
        raise Refusal(400, "broken-off") from error


def refused(request: web.Request, known: Container[str], kind: str, refusal: Refusal, metrics: Metrics) -> web.Response:
    """The answer to a delivery that ends here, counted and logged; `known` are the connections there are."""
    error_id, slug = secrets.token_hex(8), request.match_info["connection"]
    name = slug if slug in known else "unknown"
    metrics.count(name, kind, refusal.reason)
    log.warning("refused %s: %d %s, error id %s", name, refusal.status, refusal.reason, error_id)
    response = web.json_response({"error": error_id}, status=refusal.status)
    if not request.content.at_eof():
        response.force_close()  # a body is left that nobody will read
    return response
