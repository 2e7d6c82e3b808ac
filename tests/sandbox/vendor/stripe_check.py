"""Whether a request to Stripe, or an object of Stripe's, has only what exists there, by the derived stripe.json."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_INDEX = json.loads(Path(__file__).with_name("stripe.json").read_text())
OBJECTS: Mapping[str, Any] = _INDEX["objects"]
REQUESTS: Mapping[str, Any] = _INDEX["requests"]

#: Real, but missing in the files the index is derived from: (endpoint, parameter).
NEWER_PARAMETERS = {
    ("POST /v1/promotion_codes", "promotion"),  # replaced `coupon` in 2025-09-30.clover; the OpenAPI file is older
}
#: Real, but missing there: (kind, field). A thin event's notification names its object, the fetched event does not.
NEWER_FIELDS = {("v2.core.event", "related_object")}
_PATHS = [
    (method, re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path)), name)
    for name in REQUESTS
    for method, path in [name.split(" ", 1)]
]


def endpoint(method: str, path: str) -> str | None:
    """The name of the endpoint that answers this path, None where there is none."""
    found = [name for wanted, pattern, name in _PATHS if wanted == method and pattern.fullmatch(path)]
    return min(found, key=lambda name: name.count("{")) if found else None


def request_problems(method: str, path: str, params: Mapping[str, Any]) -> list[str]:
    """What of a request (nested parameters) Stripe does not have, and what it would miss; empty for a good one."""
    name = endpoint(method.upper(), path)
    if name is None:
        return [f"{method} {path}: no such endpoint in the index"]
    problems = _differences(REQUESTS[name], params, "")
    return [f"{name}: {what} {where}" for what, where in problems if (name, where) not in NEWER_PARAMETERS]


def object_problems(shown: Any, at: str = "") -> list[str]:
    """What of an answer (any nesting of Stripe's objects) does not exist at Stripe, and what it always has."""
    if isinstance(shown, list):
        return [problem for row in shown for problem in object_problems(row, at)]
    if not isinstance(shown, Mapping):
        return []
    kind = shown.get("object")
    below = [problem for name, value in shown.items() for problem in object_problems(value, f"{at}.{name}")]
    if kind is None or not isinstance(kind, str):
        return below
    if kind == "list":
        return below + [f"{at}: a list has no {name}" for name in set(shown) - {"object", "data", "has_more", "url"}]
    if kind not in OBJECTS:
        return [*below, f"{at}: no kind {kind!r} in the index"]
    found = _differences(OBJECTS[kind], shown, "")
    return below + [f"{kind}: {what} {where}" for what, where in found if (kind, where) not in NEWER_FIELDS]


def _differences(spec: Any, given: Any, at: str) -> Iterator[tuple[str, str]]:
    if not isinstance(spec, Mapping):
        return
    if isinstance(given, list):
        for row in given:
            yield from _differences(spec, row, at)
    if not isinstance(given, Mapping) or (at and "object" in given):
        return
    known = {name.removesuffix("!"): below for name, below in spec.items()}
    for name, value in given.items():
        if name not in known:
            yield "there is no", at + name
        else:
            yield from _differences(known[name], value, f"{at}{name}.")
    for name in spec:
        if name.endswith("!") and name[:-1] not in given:
            yield "there is always", at + name[:-1]
