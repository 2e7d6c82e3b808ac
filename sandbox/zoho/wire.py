"""How values look on the wire: JSON numbers, timestamps of the organisation's zone, "" for what is unset."""

from __future__ import annotations

import json
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any

from aiohttp import web

from sandbox.zoho.errors import malformed

Row = dict[str, Any]


def encode(payload: Row) -> str:
    """JSON text; a Decimal becomes a number of the same digits (exact to 15 significant ones)."""
    return json.dumps(payload, default=_number)


def _number(value: object) -> int | float:
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} has no place in an answer")
    whole = value.to_integral_value()
    return int(whole) if whole == value else float(value)


def decode(raw: bytes) -> Row:
    """The object in a request's body, numbers as Decimal; {} for no body. Refuses what is no JSON object."""
    if not raw.strip():
        return {}
    try:
        body = json.loads(raw, parse_float=Decimal, parse_int=Decimal)
    except ValueError as error:
        raise malformed() from error
    if not isinstance(body, dict):
        raise malformed()
    return body


def respond(payload: Row, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    return web.Response(
        text=encode(payload), status=status, headers=headers, content_type="application/json", charset="utf-8"
    )


def stamp(moment: float, zone: tzinfo) -> str:
    """`2026-10-09T14:30:52-0400` of the seconds since 1970."""
    return datetime.fromtimestamp(moment, UTC).astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S%z")


def day(moment: float, zone: tzinfo) -> str:
    """`2026-10-09` in the zone."""
    return datetime.fromtimestamp(moment, UTC).astimezone(zone).strftime("%Y-%m-%d")


def public(row: Row) -> Row:
    """The row without what only the sandbox knows (names that begin with an underscore)."""
    return {key: value for key, value in row.items() if not key.startswith("_")}
