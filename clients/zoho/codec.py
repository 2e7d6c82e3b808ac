"""Zoho's protocol without a socket: JSON with exact decimals, and an answer read as a result or an error."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from clients.errors import (
    AlreadyExists,
    ClientError,
    NotAllowed,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Refused,
    TokenRefused,
    TryLater,
)
from clients.waits import retry_after, seconds

JsonObject = dict[str, object]
INVENTORY, BOOKS = "/inventory/v1", "/books/v3"

# Codes with a meaning of their own, and what an operator should make of them. Observed or documented by Zoho.
_KINDS: Mapping[str, type[Refused]] = {
    "1002": NotFound,
    "36004": AlreadyExists,
    "3062": AlreadyExists,
    "57": NotAllowed,
}
_PAUSES: Mapping[str, float] = {"44": 60.0, "45": 3600.0, "1070": 2.0}
_HINTS: Mapping[str, str] = {
    "5": "wrong path, or a wrong base address",
    "44": "minute limit of the organisation",
    "45": "daily quota of the organisation's plan",
    "57": "the token's scopes or its user's role lack this right",
    "1070": "too many calls of the organisation at once",
    "4029": "check organization_id",
    "6024": "check organization_id",
}
_EMAIL = re.compile(r"[^\s\"'<>]+@[^\s\"'<>]+")


@dataclass(frozen=True, slots=True)
class Request:
    """One call below `root`, one of Zoho's apps. `private` are values that must not turn up in an error's message."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, object] | None = None
    private: tuple[str, ...] = ()
    root: str = INVENTORY

    @property
    def writes(self) -> bool:
        """Whether it may change something, so that silence leaves the outcome unknown."""
        return self.method != "GET"

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whole. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True, slots=True)
class Quota:
    """The organisation's calls a day as last seen: allowed, left, and when the count starts again (UTC)."""

    limit: int
    remaining: int
    resets_at: datetime


@dataclass(frozen=True, slots=True)
class Limit:
    """A refusal for too many calls: Zoho's code ("44", "45" or "1070"), and how many seconds to wait."""

    code: str
    pause: float


def encode(value: object) -> str:
    """`value` as JSON, a Decimal as the exact number it is. TypeError for a float, which never is exact."""
    match value:
        case float():
            raise TypeError("a float has no place in a request: write a Decimal")
        case Decimal():
            if not value.is_finite():
                raise ValueError(f"{value} is not an amount")
            return format(value, "f")
        case date():
            return json.dumps(value.isoformat())
        case Mapping():
            return "{" + ",".join(f"{json.dumps(str(k))}:{encode(v)}" for k, v in value.items()) + "}"
        case list() | tuple():
            return "[" + ",".join(encode(entry) for entry in value) + "]"
        case _:
            return json.dumps(value)


def decode(content: bytes) -> JsonObject | None:
    """The JSON object in `content`, its fractions as Decimal; None where there is none."""
    try:
        value = json.loads(content, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def read_answer(request: Request, answer: Answer) -> JsonObject:
    """The envelope of a call that went well (2xx and code 0); else raises the ClientError it means."""
    body = decode(answer.content)
    code = _code(body)
    if 200 <= answer.status < 300 and body is not None and code == "0":
        return body
    raise _error(request, answer, "" if code == "0" else code, _message(request, body, code))


def unclear(request: Request, message: str, *, code: str = "", status: int = 0) -> ClientError:
    """The error of a request that was sent and got no clear answer: unknown for a write, again for a read."""
    kind = OutcomeUnknown if request.writes else TryLater
    return kind("zoho", f"{request}: {message}", code=code, status=status)


def read_quota(headers: Mapping[str, str], now: datetime) -> Quota | None:
    """The daily quota an answer's headers tell of; None without all three."""
    numbers = [seconds(headers.get(f"x-rate-limit-{name}")) for name in ("limit", "remaining", "reset")]
    limit, remaining, reset = numbers
    if limit is None or remaining is None or reset is None:
        return None
    return Quota(limit=int(limit), remaining=int(remaining), resets_at=now + timedelta(seconds=reset))


def read_limit(answer: Answer) -> Limit | None:
    """Which limit the answer says was met; None where none was."""
    code = _code(decode(answer.content))
    if answer.status != 429 and code not in _PAUSES:
        return None
    return Limit(code if code in _PAUSES else "44", _pause(code, answer.headers))


def said(code: str) -> str:
    """What the code means, in words."""
    return _HINTS.get(code, "")


def strings(value: object) -> Iterable[str]:
    """Every text anywhere inside `value`."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for entry in value.values():
            yield from strings(entry)
    elif isinstance(value, (list, tuple)):
        for entry in value:
            yield from strings(entry)


def _error(request: Request, answer: Answer, code: str, message: str) -> ClientError:
    status = answer.status
    if status == 429 or code in _PAUSES:
        pause = _pause(code, answer.headers)
        return RateLimited("zoho", f"{message}; again in {pause:g} s", code=code, status=status, retry_after=pause)
    if status == 401:
        return TokenRefused("zoho", message, code=code, status=status)
    if status >= 500 or status == 408 or (status < 400 and not code):
        kind: type[ClientError] = OutcomeUnknown if request.writes else TryLater
        return kind("zoho", message, code=code, status=status)
    kind = _KINDS.get(code, NotAllowed if status == 403 else Refused)
    return kind("zoho", message, code=code, status=status)


def _code(body: JsonObject | None) -> str:
    code = (body or {}).get("code")
    return str(code) if isinstance(code, (int, str)) and not isinstance(code, bool) else ""


def _message(request: Request, body: JsonObject | None, code: str) -> str:
    said = (body or {}).get("message")
    text = said if isinstance(said, str) and said else "no message" if body else "no JSON in the answer"
    for value in sorted((v for v in request.private if len(v) > 1), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "…", text, flags=re.IGNORECASE)
    text = _EMAIL.sub("…", text)[:500]
    hint = _HINTS.get(code)
    return f"{request}: {text}" + (f" ({hint})" if hint else "")


def _pause(code: str, headers: Mapping[str, str]) -> float:
    told = retry_after(headers)
    if told is None and code == "45":
        told = seconds(headers.get("x-rate-limit-reset"))
    return told if told is not None else _PAUSES.get(code, _PAUSES["44"])
