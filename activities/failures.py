"""Turns client and domain errors into Temporal's words, so that no other place decides what is retried."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory, CancelledError
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
)

from clients.errors import ClientError, QuotaGone, RateLimited, Refused, ThroughlineError, TokenRefused, Unreachable
from domain.currencies import UnknownCurrency

log = logging.getLogger(__name__)

# Histories are kept and shown: names (which Zoho puts in quotes) and addresses stay out of them.
_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
_HINTS: dict[type[ClientError], str] = {
    RateLimited: "the quota is used up for now; the run goes on by itself",
    Unreachable: "no connection; the run goes on by itself when it is back",
    TokenRefused: "the access token was refused; the run goes on by itself when the credentials work again",
}


def plain(text: str) -> str:
    """`text` without what others put between quotes, and without e-mail addresses."""
    return _EMAIL.sub("…@…", _QUOTED.sub("“…”", text))


def translate(error: Exception) -> ApplicationError:
    """Temporal's words for an error of ours: type = class name; Refused is final; a wait is the server's own."""
    if isinstance(error, UnknownCurrency):
        return ApplicationError(str(error), type="unknown_currency", non_retryable=True)
    if not isinstance(error, ClientError):
        return ApplicationError(f"{type(error).__name__}: see the worker's log", type=type(error).__name__)
    hint = next((text for kind, text in _HINTS.items() if isinstance(error, kind)), "")
    wait = timedelta(seconds=error.retry_after) if error.retry_after is not None else None
    details = {"service": error.service, "code": error.code, "status": error.status}
    if isinstance(error, QuotaGone):  # the run waits, not the activity: it can say until when
        details |= {"until": error.until.isoformat(), "when": error.when, "said": error.message}
    return ApplicationError(
        plain(f"{error}; {hint}" if hint else str(error)),
        details,
        type=type(error).__name__,
        non_retryable=isinstance(error, Refused | QuotaGone),
        next_retry_delay=wait,
        category=ApplicationErrorCategory.BENIGN if hint else ApplicationErrorCategory.UNSPECIFIED,
    )


class FailureInterceptor(Interceptor):
    """Puts `translate` around every activity of a worker."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """The activity `next`, its errors translated."""
        return _Translating(next)


class _Translating(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        try:
            return await super().execute_activity(input)
        except (ApplicationError, CancelledError):
            raise
        except Exception as error:
            if not isinstance(error, ThroughlineError | UnknownCurrency):
                info = activity.info()
                # The text may hold people's data: the log's filter masks it, the history gets the type only.
                log.exception("%s of %s failed unexpectedly", info.activity_type, info.workflow_id)
            raise translate(error) from None
