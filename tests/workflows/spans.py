"""Times that a run which looks at a time refuses."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY = timedelta(days=1)
LAST = datetime.max.replace(tzinfo=UTC)

no_times = pytest.mark.parametrize(
    ("since", "until"),
    [(NOON, NOON - DAY), (NOON, NOON), (LAST - DAY, LAST)],
    ids=["reversed", "empty", "future"],
)


async def refused(run: Awaitable[Any]) -> None:
    """The run ends at once and says that its time is none."""
    with pytest.raises(WorkflowFailureError) as failure:
        await run
    assert isinstance(failure.value.cause, ApplicationError)
    assert failure.value.cause.type == "BadRange"
