"""Sales that somebody cancels in Zoho, as tales: what happens until the calls of the check of their order begin."""

from __future__ import annotations

from temporalio.client import WorkflowHandle

from domain.attention import Action, AttentionClass, Trouble
from tests.endtoend.outcomes import everything_told
from tests.endtoend.shops import Shop
from tests.faults.return_tales import starter
from tests.faults.tales import Run, Tale, ask, uninvoiced
from workflows import contract


async def _cancel_sale(shop: Shop, payment: str) -> None:
    """The payment is carried; somebody takes recorded payment, invoice and order back in Zoho."""
    await uninvoiced(shop, payment)
    await ask(shop, "POST", f"/salesorders/{await _order_of(shop, payment)}/status/void")
    await everything_told(shop)


async def _order_of(shop: Shop, payment: str) -> str:
    rows = (await shop.books(only="salesorders"))["salesorders"]
    return next(str(row["salesorder_id"]) for row in rows if row["reference_number"] == payment)


async def _tell(shop: Shop, payment: str) -> None:
    """What a poll of the orders says once it has seen the void order."""
    told = await starter(shop, payment)
    await told.check_order(shop.slug, payment, await _order_of(shop, payment))


async def _checks_run(shop: Shop, payment: str) -> Run:
    run: WorkflowHandle[object, object] = shop.client.get_workflow_handle(
        contract.order_check_workflow_id(shop.slug, payment)
    )
    return run


async def _give_back(shop: Shop, trouble: Trouble) -> str:
    """The person who is asked what becomes of the money has it given back."""
    return Action.REFUND.value if trouble.attention_class is AttentionClass.ORDER_CANCELLED else ""


CANCELLED_IN_ZOHO = Tale(
    before=_cancel_sale, begin=_tell, run=_checks_run, about="books", by_hand=True, deed=_give_back
)
