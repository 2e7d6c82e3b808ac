"""The plan of an order: mapped and checked from our own memory, and what that lacks asked of Zoho."""

from __future__ import annotations

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.catalogue import CatalogueActivities
    from activities.orders import OrderActivities
    from domain.attention import Amendment
    from domain.plans import LookUp, LookUpInput, LookUpKind, OrderPlan, PrepareInput
    from domain.runs import PaymentRef
    from workflows.calls import Calls

_LOOK_UPS = {
    LookUpKind.ORGANIZATION: CatalogueActivities.describe_organization,
    LookUpKind.CURRENCIES: CatalogueActivities.list_currencies,
    LookUpKind.TAXES: CatalogueActivities.list_taxes,
    LookUpKind.ITEM: CatalogueActivities.find_item,
}


async def plan_order(calls: Calls, ref: PaymentRef, facts_ref: str, amendments: tuple[Amendment, ...]) -> OrderPlan:
    """The plan, each question asked once; ApplicationError with the problems where there is none."""
    asked: tuple[LookUp, ...] = ()
    while True:
        wanted = PrepareInput(**dict(ref), facts_ref=facts_ref, asked=asked, amendments=amendments)
        plan = await calls.local(OrderActivities.prepare_order, wanted, "Map and check the order")
        if plan.problems:
            raise ApplicationError(
                " · ".join(problem.message for problem in plan.problems),
                type=plan.problems[0].code,
                non_retryable=True,
            )
        if not plan.lookups:
            return plan
        for lookup in plan.lookups:
            await _look_up(calls, ref.connection, lookup)
        asked += plan.lookups


async def _look_up(calls: Calls, connection: str, lookup: LookUp) -> None:
    question = f"Ask Zoho for {lookup.kind.value} {lookup.key}".strip()
    await calls.zoho_read(_LOOK_UPS[lookup.kind], LookUpInput(connection=connection, lookup=lookup), question)
