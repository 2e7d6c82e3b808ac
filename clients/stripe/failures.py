"""Errors of the official SDK in our words, sorted by whether the write may have happened."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import stripe

from clients.errors import (
    ClientError,
    NotAllowed,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Refused,
    TryLater,
    Unreachable,
)
from clients.waits import retry_after

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_AGAIN = (1.0, 3.0)  # seconds after a limit that says no moment
UNREADABLE = "an answer that cannot be read"


@contextmanager
def translated(*, write: bool) -> Iterator[None]:
    """Raises ClientErrors instead of the SDK's; `write` tells whether the request changes anything."""
    try:
        yield
    except stripe.StripeError as error:
        # Not chained: of an unreadable answer the SDK's error holds the whole body, people's data included.
        raise failure(error, write=write) from None
    except (AttributeError, KeyError, TypeError, ValueError):
        # The SDK (16.1) stumbles like this over JSON that is no object, or whose `error` is none.
        raise _kind_of_open(write)("stripe", UNREADABLE) from None


def failure(error: stripe.StripeError, *, write: bool) -> ClientError:
    """What `error` means. Stripe answers 401, 403, 404, 429 and other 4xx before anything is applied.

    409 (another call holds the key or the object), 5xx, silence and an unreadable 200 leave a write's outcome
    open; the same idempotency key makes it safe to ask again (docs.stripe.com/api/idempotent_requests).
    """
    status = error.http_status or 0
    if isinstance(error, stripe.APIConnectionError):
        if isinstance(error.__cause__, _NEVER_SENT):
            return Unreachable("stripe", "no connection to Stripe; check the network and api_base")
        return _open("no answer from Stripe", error, write)
    if status == 401:
        return NotAllowed("stripe", "Stripe refused the API key; check api_key", status=401)
    if status == 429:
        pause = _pause(error)
        if pause is None:  # at different moments, for whoever met the limit together would meet it together again
            pause = random.uniform(*_AGAIN)
        return RateLimited("stripe", _said(error), code=_code(error), status=429, retry_after=pause)
    if status == 409 or not 400 <= status < 500:
        return _open(_said(error), error, write)
    kind = {403: NotAllowed, 404: NotFound}.get(status, Refused)
    return kind("stripe", _said(error), code=_code(error), status=status)


def _open(said: str, error: stripe.StripeError, write: bool) -> ClientError:
    status, pause = error.http_status or 0, _pause(error)
    return _kind_of_open(write)("stripe", said, code=_code(error), status=status, retry_after=pause)


def _kind_of_open(write: bool) -> type[ClientError]:
    return OutcomeUnknown if write else TryLater


def _said(error: stripe.StripeError) -> str:
    """Stripe's words with the request id that its support asks for."""
    words = (error.user_message if isinstance(error.json_body, dict) else None) or UNREADABLE
    return f"{words} ({error.request_id})" if error.request_id else words


def _code(error: stripe.StripeError) -> str:
    """Stripe's code; a key used for something else has none, and has to be told from other refusals."""
    return error.code or ("idempotency_error" if isinstance(error, stripe.IdempotencyError) else "")


def _pause(error: stripe.StripeError) -> float | None:
    return retry_after({name.lower(): text for name, text in (error.headers or {}).items()})
