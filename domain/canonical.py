"""JSON in one form only, so that equal documents have equal bytes and one hash (after RFC 8785, without its floats)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

LARGEST = 2**53 - 1  # what every reader of JSON keeps exactly


class NotCanonical(ValueError):
    """The document has something that could be written, or read, in several ways. The message says where."""


def canonical(value: Any) -> bytes:
    """`value` (objects, lists, text, whole numbers, true, false, null) as UTF-8: keys sorted, no spaces.

    Raises NotCanonical for a float, a number beyond 2**53 - 1, a key that is no ASCII text.
    """
    if not _plain(value):
        _refuse(value, "")
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise NotCanonical("a text has half a character (a lone surrogate)") from None


def digest(value: Any) -> str:
    """SHA-256 of the canonical form, 64 hex digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def parse(text: str | bytes) -> Any:
    """The document in `text`. Raises NotCanonical for what is no JSON, a float, and a key that stands twice."""
    try:
        return json.loads(text, object_pairs_hook=_object, parse_float=_no_float, parse_constant=_no_float)
    except NotCanonical:
        raise
    except (ValueError, RecursionError) as error:
        raise NotCanonical(f"this is no JSON: {error}") from None


def _plain(value: Any) -> bool:
    """Whether there is one way to write it. Keys are ASCII, so that every sorting of them is RFC 8785's."""
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return True
    if kind is int:
        return abs(int(value)) <= LARGEST
    if kind is dict:
        return all(type(key) is str and key.isascii() for key in value) and all(map(_plain, value.values()))
    return (kind is list or kind is tuple) and all(map(_plain, value))


def _refuse(value: Any, at: str) -> None:
    """Says where it is not."""
    if isinstance(value, dict):
        for key, below in value.items():
            if not isinstance(key, str) or not key.isascii():
                raise NotCanonical(f"{at or 'the document'} has a key that is no ASCII text: {key!r}")
            _refuse(below, f"{at}.{key}".lstrip("."))
    elif isinstance(value, list | tuple):
        for number, below in enumerate(value):
            _refuse(below, f"{at}[{number}]")
    elif not _plain(value):
        what = f"{value}, beyond what JSON keeps exactly" if type(value) is int else f"a {type(value).__name__}"
        raise NotCanonical(f"{at} is {what}: write whole minor units, or text")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise NotCanonical(f"{twice!r} stands twice in one object")
    return found


def _no_float(text: str) -> Any:
    raise NotCanonical(f"{text} is no whole number: amounts are minor units")
