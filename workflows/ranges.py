"""Times that somebody asked to be looked at."""

from __future__ import annotations

from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ApplicationError


def refuse_no_time(since: datetime, until: datetime) -> None:
    """BadRange, which closes the run, for a time that is reversed, empty or has not come."""
    if since >= until or since > workflow.now():
        raise ApplicationError(
            f"{since.isoformat()} to {until.isoformat()} is no time that has been: name one",
            type="BadRange",
            non_retryable=True,
        )
