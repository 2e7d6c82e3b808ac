"""Each delivery as a span, at the head of its payment's trace; its log lines say which connection it is for."""

from __future__ import annotations

from collections.abc import Collection

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from clients.logs import about
from clients.tracing import Tracing


def watched(tracing: Tracing, connections: Collection[str]) -> Middleware:
    """A middleware around whatever answers a delivery; a stranger's path is not repeated."""

    @web.middleware
    async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
        name = request.match_info.get("connection", "")
        resource = request.match_info.route.resource
        if request.method != "POST" or name not in connections or resource is None:
            return await handler(request)
        with about(connection=name), tracing.webhook(resource.canonical, connection=name) as exchange:
            response = await handler(request)
            exchange.status = response.status
            return response

    return watch
