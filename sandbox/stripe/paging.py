"""Stripe's lists: newest first, a page at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from sandbox.stripe.errors import ApiError, missing_resource
from sandbox.stripe.tables import Doc


def page(rows: Iterable[Doc], params: Doc, url: str, word: str, *, most: int) -> Doc:
    """The page `limit`, `starting_after` and `ending_before` ask for, out of rows in the list's own order; `most` rows
    of it at most.
    """
    limit = 10 if params.get("limit") is None else params["limit"]
    if not 1 <= limit <= 100:
        raise ApiError("limit is 1 to 100", code="parameter_invalid_integer", param="limit")
    limit = min(limit, most)
    after, before = params.get("starting_after"), params.get("ending_before")
    if after and before:
        raise ApiError("You can only use one of starting_after and ending_before", param="ending_before")
    if before:
        ahead = list(_until(rows, before, word))
        return _list(ahead[-limit:], len(ahead) > limit, url)
    left = _behind(rows, after, word) if after else iter(rows)
    found = list(islice(left, limit + 1))
    return _list(found[:limit], len(found) > limit, url)


def _list(rows: list[Doc], more: bool, url: str) -> Doc:
    return {"object": "list", "data": rows, "has_more": more, "url": url}


def _until(rows: Iterable[Doc], name: str, word: str) -> Iterator[Doc]:
    for row in rows:
        if row["id"] == name:
            return
        yield row
    raise missing_resource(word, name, "ending_before", 400)


def _behind(rows: Iterable[Doc], name: str, word: str) -> Iterator[Doc]:
    left = iter(rows)
    for row in left:
        if row["id"] == name:
            return left
    raise missing_resource(word, name, "starting_after", 400)


def made_within(rows: Iterable[Doc], created: dict[str, Any] | None, field: str = "created") -> Iterator[Doc]:
    """The rows whose time is in the range gt, gte, lt, lte (seconds since the epoch)."""
    bounds = created or {}
    for row in rows:
        at = row[field]
        if at <= bounds.get("gt", -1) or at < bounds.get("gte", 0):
            continue
        if at >= bounds.get("lt", at + 1) or at > bounds.get("lte", at):
            continue
        yield row
