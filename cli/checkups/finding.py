"""What a check found, and how the checks are kept from ending each other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum

from cli.exits import Stop
from clients.errors import RateLimited, ThroughlineError


class Mark(StrEnum):
    """How bad it is: only FAIL makes the doctor's exit code 1."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report: what was looked at, what was seen, and the cure where there is need."""

    mark: Mark
    what: str
    seen: str
    cure: str = ""


def ok(what: str, seen: str) -> Finding:
    """All is well."""
    return Finding(Mark.OK, what, seen)


def warn(what: str, seen: str, cure: str) -> Finding:
    """It works, but not as well as it could."""
    return Finding(Mark.WARN, what, seen, cure)


def fail(what: str, seen: str, cure: str) -> Finding:
    """It does not work."""
    return Finding(Mark.FAIL, what, seen, cure)


async def gathered(what: str, findings: AsyncIterator[Finding], cure: str) -> list[Finding]:
    """The findings of one checkup; an error of ours that ends it becomes its last finding."""
    result: list[Finding] = []
    try:
        async for finding in findings:
            result.append(finding)
    except RateLimited as error:
        result.append(warn(what, str(error), "nothing is wrong: ask again when the limit has passed"))
    except (ThroughlineError, Stop) as error:
        result.append(fail(what, str(error), cure))
    return result
