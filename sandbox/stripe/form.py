"""Stripe's form encoding: `a[b][0][c]=v` to nested dicts and lists."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from sandbox.stripe.errors import ApiError


def decode(text: str) -> dict[str, Any]:
    """The nested parameters of a query string or form body; every leaf is a string, empty ones are kept."""
    root: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        _place(root, name, value)
    return {key: _lists(value) for key, value in root.items()}


def _place(root: dict[str, Any], name: str, value: str) -> None:
    head, _, rest = name.partition("[")
    parts = [head, *(part.removesuffix("]") for part in rest.split("["))] if rest else [head]
    node = root
    for part in parts[:-1]:
        below = node.setdefault(part or str(len(node)), {})
        if not isinstance(below, dict):
            raise ApiError(f"Invalid object: {name}", param=name)
        node = below
    node[parts[-1] or str(len(node))] = value


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    rows = {key: _lists(below) for key, below in value.items()}
    if rows and all(key.isdigit() for key in rows):
        return [rows[key] for key in sorted(rows, key=int)]
    return rows
