"""What can go wrong outside, sorted by the one question that matters: may the write have happened?

ThroughlineError
├── SettingsError            a setting is missing or wrong; names it and the cure
└── ClientError              an outsider answered, or did not
    ├── Refused              it did not happen, and asking again is pointless
    │   ├── NotFound             the record does not exist
    │   ├── AlreadyExists        the unique number or name is taken: look it up, compare, adopt
    │   └── NotAllowed           the key or token has not the right
    ├── TryLater             it did not happen, and may be asked again after `retry_after`
    │   ├── RateLimited          minute, day or concurrency limit
    │   │   └── QuotaGone            the day's quota is used up until a known moment
    │   ├── Unreachable          no connection was made
    │   └── TokenRefused         the token or its refresh was refused
    └── OutcomeUnknown       it may have happened: read back before writing again
"""

from __future__ import annotations

from datetime import datetime


class ThroughlineError(Exception):
    """Root of every error that this house raises on purpose."""


class SettingsError(ThroughlineError):
    """A setting is missing or wrong. The message names the setting and says what to do."""


class ClientError(ThroughlineError):
    """An outsider's refusal or silence, with its own words kept.

    `service` is "zoho", "stripe" or "store"; `code` the service's own code ("36004", "resource_missing"), "" where it
    gave none; `status` the HTTP status, 0 where there was no answer; `retry_after` in seconds where it said one.
    """

    def __init__(
        self, service: str, message: str, *, code: str = "", status: int = 0, retry_after: float | None = None
    ) -> None:
        label = " ".join(part for part in (service, str(status) if status else "", code) if part)
        super().__init__(f"{label}: {message}")
        self.service = service
        self.message = message
        self.code = code
        self.status = status
        self.retry_after = retry_after


class Refused(ClientError):
    """It did not happen, and the same request would be refused again."""


class NotFound(Refused):
    """The record does not exist."""


class AlreadyExists(Refused):
    """The unique number or name is taken."""


class NotAllowed(Refused):
    """The credentials have not the right to do this."""


class TryLater(ClientError):
    """It did not happen, and may be asked again."""


class RateLimited(TryLater):
    """A quota is used up for the moment."""


class QuotaGone(RateLimited):
    """The day's quota is used up: nothing before `until` (UTC); `when` says the same for people."""

    def __init__(self, service: str, message: str, *, until: datetime, when: str, retry_after: float) -> None:
        super().__init__(service, message, code="45", status=429, retry_after=retry_after)
        self.until = until
        self.when = when


class Unreachable(TryLater):
    """No connection was made, so nothing was sent."""


class TokenRefused(TryLater):
    """The access token, or its refresh, was refused."""


class OutcomeUnknown(ClientError):
    """The request was sent and no clear answer came: it may have been applied."""
