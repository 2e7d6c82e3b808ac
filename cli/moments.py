"""Times that people type, and times that they read."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cli.exits import Exit, Stop


def moment_of(text: str, zone: str = "") -> datetime | None:
    """A day or a moment, of `zone` where it names none, of UTC where that is "" or unknown; None for "".

    Stop where it is no time.
    """
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Stop(f"{text!r} is no time: write 2026-11-25 or 2026-11-25T08:00:00+01:00.", Exit.USAGE) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=_zone(zone))).astimezone(UTC)


def range_of(since: str, until: str, now: datetime, zone: str = "") -> tuple[datetime | None, datetime]:
    """From when until when; `until` "" is now. Stop for a time that is reversed, empty or has not come.

    A day is one of `zone`'s: it may have 23 or 25 hours.
    """
    begin, end = moment_of(since, zone), moment_of(until, zone) or now
    for name, moment in (("--from", begin), ("--to", end)):
        if moment is not None and moment > now:
            raise Stop(
                f"{name} {said(moment)} has not come yet: it is {said(now)}. Leave --to out for now.", Exit.USAGE
            )
    if begin is not None and begin >= end:
        raise Stop(f"--from {said(begin)} is not before --to {said(end)}: turn them round.", Exit.USAGE)
    return begin, end


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def said(moment: datetime) -> str:
    """`2026-11-25 08:00:00 UTC`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def stamp(moment: datetime) -> str:
    """`20261125T080000`, as it stands in the id of a run that was asked for."""
    return f"{moment:%Y%m%dT%H%M%S}"
