"""The quotas of one organisation: calls a minute, calls in process, calls a day."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from math import ceil

from sandbox.zoho import errors
from sandbox.zoho.switches import Switches

# Calls a day and calls in process by plan; sources disagree about some, a live Premium trial said 7500.
PLANS = {
    "free": (1000, 5),
    "standard": (2500, 10),
    "professional": (5000, 10),
    "premium": (7500, 10),
    "enterprise": (10000, 10),
}


class Limits:
    """Counts calls against `minute`, `day` and `concurrent`; a limit of 0 means none."""

    def __init__(self, zone: Callable[[], tzinfo]) -> None:
        self.minute = self.day = self.concurrent = 0
        self._zone = zone
        self._recent: deque[float] = deque()
        self._blocked_until = 0.0
        self._midnight = 0.0
        self.used_today = 0
        self.in_process = 0

    def enter(self, now: float, switches: Switches) -> None:
        """Admits a call at `now` (seconds since 1970) or refuses it; who is admitted calls `leave`."""
        self._turn_day(now)
        self._check_minute(now, switches)
        if self.day and self.used_today >= self.day:
            raise errors.day_limit(self.day)
        if self.concurrent and self.in_process >= self.concurrent:
            raise errors.concurrency_limit()
        if self.minute:
            self._recent.append(now)
        self.used_today += 1
        self.in_process += 1

    def leave(self) -> None:
        """Ends an admitted call."""
        self.in_process -= 1

    def headers(self, now: float) -> dict[str, str]:
        """The daily quota as Zoho tells it: `x-rate-limit-reset` in seconds until midnight of the organisation."""
        if not self.day:
            return {}
        self._turn_day(now)
        return {
            "x-rate-limit-limit": str(self.day),
            "x-rate-limit-remaining": str(max(0, self.day - self.used_today)),
            "x-rate-limit-reset": str(ceil(self._midnight - now)),
        }

    def retry_after(self, code: int, now: float) -> int:
        """Seconds until a call refused with `code` may be asked again."""
        if code == 44:
            return max(1, ceil(self._blocked_until - now))
        return ceil(self._midnight - now) if code == 45 else 1

    def _check_minute(self, now: float, switches: Switches) -> None:
        if now < self._blocked_until:
            if switches.calls_extend_block:
                self._blocked_until = now + switches.minute_block_seconds
            raise errors.minute_limit()
        while self._recent and self._recent[0] <= now - 60:
            self._recent.popleft()
        if self.minute and len(self._recent) >= self.minute:
            self._blocked_until = now + switches.minute_block_seconds
            raise errors.minute_limit()

    def _turn_day(self, now: float) -> None:
        if now < self._midnight:
            return
        local = datetime.fromtimestamp(now, UTC).astimezone(self._zone())
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        self._midnight = midnight.timestamp()
        self.used_today = 0
