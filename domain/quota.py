"""How an organisation's day of Zoho calls is shared out, and when it ends: pure arithmetic over what was counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_PACE_OVER = timedelta(minutes=30)  # a pace is that of half an hour at least, so that a few calls are no forecast
_SOONEST = timedelta(minutes=5)  # work in bulk that has to wait does not look again before


def live_pace(today: int, before: int, remaining: timedelta) -> float:
    """Calls an hour that live payments will want: as many as so far `today`, or as on the day `before`, if more.

    `remaining` is what is left of the day. The first hour of a day counts as a whole one: two payments make no rush.
    """
    elapsed = max(_DAY - remaining, HOUR)
    return max(today / (elapsed / HOUR), before / (_DAY / HOUR))


def kept_for_live(reserve: int, pace: float, remaining: timedelta) -> int:
    """Calls that work in bulk leaves alone: what live payments will want until the day ends, and `reserve` on top."""
    return reserve + int(pace * (max(remaining, timedelta(0)) / HOUR))


def bulk_resumes(left: int, reserve: int, pace: float, now: datetime, ends: datetime) -> datetime:
    """When so little of the day remains that live payments need no more than `left`: work in bulk may go on then."""
    if left <= reserve or pace <= 0:
        return ends
    return min(ends, max(now + _SOONEST, ends - HOUR * ((left - reserve - 0.5) / pace)))


def used_up_at(used: int, since: datetime, left: int, now: datetime, ends: datetime) -> datetime | None:
    """When `left` calls will be used up at the pace of `used` calls `since`; None where the day `ends` before."""
    if used <= 0:
        return None
    moment = now + max(now - since, _PACE_OVER) * (left / used)
    return moment if moment < ends else None


def slid(used: int, since: datetime, now: datetime) -> tuple[int, datetime]:
    """The same pace told of the last half hour, where it was counted over more than an hour; else as it was.

    So a pace is that of the last half to whole hour, and what was before fades by half each time.
    """
    span = now - since
    if span <= HOUR:
        return used, since
    kept = round(used * (_PACE_OVER / span))
    return (kept, now - span * (kept / used)) if kept > 0 else (0, now - _PACE_OVER)


def runs_out(limit: int, left: int, gone: datetime | None) -> bool:
    """Whether people are to be warned of a day that ends early: not before half of it is used, for much may change."""
    return left <= 0 or (gone is not None and 2 * left <= limit)


def warning(limit: int, left: int, gone: datetime | None, ends: datetime, time_zone: str) -> str:
    """What people are told of such a day, in one sentence."""
    until = moment(whole_minute(ends), time_zone)
    if left <= 0 or gone is None:
        return f"Zoho's {limit} calls of today are used up: what needs Zoho waits until {until}"
    return (
        f"at the pace of the last hour the last {left} of Zoho's {limit} calls of today are gone at "
        f"{moment(gone, time_zone)}, and what needs Zoho then waits until {until}"
    )


def whole_minute(at: datetime) -> datetime:
    """Zoho tells the end of its day in seconds, which come out a little before or after it: the minute is meant."""
    return (at + timedelta(seconds=30)).replace(second=0, microsecond=0)


def moment(at: datetime, time_zone: str) -> str:
    """A moment for people: `2026-11-26 00:00 Europe/Berlin (23:00 UTC)`, or in UTC where no zone is known."""
    utc = at.astimezone(UTC)
    try:
        local = at.astimezone(ZoneInfo(time_zone)) if time_zone else None
    except (ZoneInfoNotFoundError, ValueError):
        local = None
    if local is None:
        return f"{utc:%Y-%m-%d %H:%M} UTC"
    return f"{local:%Y-%m-%d %H:%M} {time_zone} ({utc:%H:%M} UTC)"
