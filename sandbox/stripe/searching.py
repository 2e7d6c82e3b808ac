"""Stripe's search: clauses `field:'value'` and `metadata['key']:'value'`, joined by AND (docs.stripe.com/search)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sandbox.stripe.errors import ApiError
from sandbox.stripe.tables import Doc

_CLAUSE = re.compile(
    r"""(?:metadata\[(?P<q>['"])(?P<key>.+?)(?P=q)\]|(?P<field>[a-z_]+)):(?P<v>['"])(?P<value>.*?)(?P=v)"""
)


def found(rows: Iterable[Doc], query: str) -> list[Doc]:
    """The rows that every clause of `query` holds for; ApiError for a query that is not understood."""
    clauses = [_CLAUSE.fullmatch(part.strip()) for part in re.split(r"\s+AND\s+", query)]
    if not query or None in clauses:
        raise ApiError(f"We were unable to parse your search query: {query}", param="query")
    return [row for row in rows if all(_holds(row, clause) for clause in clauses if clause)]


def result(rows: list[Doc], limit: int | None, url: str) -> Doc:
    """The first page of a search; later ones are not simulated."""
    most = 10 if limit is None else limit
    return {"object": "search_result", "data": rows[:most], "has_more": False, "next_page": None, "url": url}


def _holds(row: Doc, clause: re.Match[str]) -> bool:
    has = row["metadata"].get(clause["key"]) if clause["key"] else row.get(clause["field"])
    return has is not None and str(has) == clause["value"]
