"""Two small runs: apart, for Temporal's sandbox imports this file again."""

from __future__ import annotations

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from domain.money import Money


@workflow.defn
class Echo:
    """Gives back what it got."""

    @workflow.run
    async def run(self, money: Money) -> Money:
        """The same amount."""
        return money


@workflow.defn
class Failing:
    """Fails and tells why."""

    @workflow.run
    async def run(self, why: str) -> None:
        """Never returns."""
        raise ApplicationError(f"it failed: {why}", non_retryable=True)
