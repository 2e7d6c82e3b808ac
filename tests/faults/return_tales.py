"""Returns and adjustments that somebody enters in Zoho, as tales: what happens until the calls of their run begin."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio.client import WorkflowHandle

from domain.numbers import order_number
from domain.returns import ReturnEvent
from ingress.starter import Starter
from tests.endtoend.outcomes import everything_told
from tests.endtoend.shops import Shop
from tests.endtoend.zoho_desk import Desk
from tests.faults.tales import ABORT, CAME_BACK, LONG, Tale, ask, forget
from workflows import contract

ONE_MUG = ("MUG", 1, 0)
_OFTEN = 0.1  # seconds between two looks whether a run waits for a person


class Clerk(Desk):
    """A person of the shop, whose calls are none of ours."""

    def __init__(self, shop: Shop) -> None:
        super().__init__(shop)
        self._shop = shop

    async def call(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """The answer to one call that went well."""
        return await ask(self._shop, method, path, body, **query)


async def _enter(shop: Shop, payment: str) -> None:
    """The payment is carried and shipped; one of its pieces is to come back."""
    await shop.done(payment, within=LONG)
    await Clerk(shop).enters(ONE_MUG, reference=payment)


async def _enter_and_forget(shop: Shop, payment: str) -> None:
    """Our memory of what was written is gone when the return is told."""
    await _enter(shop, payment)
    await everything_told(shop)
    forget(shop, "effects", "links", "dossiers")


async def _enter_with_note(shop: Shop, payment: str) -> None:
    """Somebody writes the credit note, too: over less than was paid."""
    await _enter(shop, payment)
    await Clerk(shop).credits(await return_of(shop, payment), "12.34")


async def _park(shop: Shop, payment: str) -> None:
    """The return's run has done everything, but Zoho takes no word of it any more."""
    await shop.fault("zoho", method="PUT", path=r"/salesreturns/\d+$", fault="refuse", code=4711)
    await tell(shop, payment)
    run = await returns_run(shop, payment)
    async with asyncio.timeout(LONG):
        while not (await run.describe()).typed_search_attributes.get(contract.NEEDS_ATTENTION):
            await asyncio.sleep(_OFTEN)
        while await run.query(contract.TROUBLE) is None:
            await asyncio.sleep(_OFTEN)


async def _enter_and_park(shop: Shop, payment: str) -> None:
    await _enter(shop, payment)
    await _park(shop, payment)


async def _enter_with_note_and_park(shop: Shop, payment: str) -> None:
    await _enter_with_note(shop, payment)
    await _park(shop, payment)


async def _abort(shop: Shop, payment: str) -> None:
    await (await returns_run(shop, payment)).execute_update(contract.RESOLVE, {**ABORT, "by": "test"})


async def _adjust(shop: Shop, payment: str) -> None:
    """The payment is carried and shipped; one of its pieces is put back on the shelf."""
    await shop.done(payment, within=LONG)
    await Clerk(shop).adjusts(("MUG", 1), reason=CAME_BACK, reference=order_number(payment))


async def return_of(shop: Shop, payment: str) -> str:
    """The id of the payment's only return."""
    books = await shop.books(only="salesorders,salesreturns")
    (order,) = [row["salesorder_id"] for row in books["salesorders"] if row["reference_number"] == payment]
    return next(str(row["salesreturn_id"]) for row in books["salesreturns"] if row["salesorder_id"] == order)


async def returns_run(shop: Shop, payment: str) -> WorkflowHandle[Any, Any]:
    """The run of the payment's return."""
    told = contract.return_workflow_id(shop.slug, await return_of(shop, payment))
    return shop.client.get_workflow_handle(told)


async def adjustment_of(shop: Shop, payment: str) -> str:
    """The id of the only adjustment that names the payment's order."""
    rows = (await shop.books(only="adjustments"))["adjustments"]
    named = order_number(payment)
    return next(str(row["inventory_adjustment_id"]) for row in rows if row["reference_number"] == named)


async def adjustments_run(shop: Shop, payment: str) -> WorkflowHandle[Any, Any]:
    """The run of the payment's adjustment."""
    told = contract.adjustment_workflow_id(shop.slug, await adjustment_of(shop, payment))
    return shop.client.get_workflow_handle(told)


async def tell(shop: Shop, payment: str) -> None:
    """What a webhook of Zoho's says of the payment's return, which is told until Temporal has taken it."""
    told = await starter(shop, payment)
    await told.return_event(shop.slug, await return_of(shop, payment), ReturnEvent(source="webhook"))


async def _tell_adjustment(shop: Shop, payment: str) -> None:
    told = await starter(shop, payment)
    await told.adjustment_event(shop.slug, await adjustment_of(shop, payment), ReturnEvent(source="webhook"))


async def starter(shop: Shop, payment: str) -> Starter:
    """What starts runs on the queues of the payment's run."""
    queue = (await shop.run_of(payment).describe()).task_queue
    zoho = contract.ZOHO_QUEUE if queue == contract.MAIN_QUEUE else f"{queue}-zoho"
    return Starter(shop.client, {shop.slug: shop.connection}, task_queue=queue, zoho_queue=zoho)


_RETURN: dict[str, Any] = {"run": returns_run, "about": "return"}
RETURNED = Tale(before=_enter, begin=tell, **_RETURN)
RETURNED_FORGOTTEN = Tale(before=_enter_and_forget, begin=tell, **_RETURN)
RETURNED_WITH_NOTE = Tale(before=_enter_with_note, begin=tell, **_RETURN)
RETURN_ABORTED = Tale(before=_enter_and_park, begin=_abort, back=True, **_RETURN)
ADJUSTED = Tale(before=_adjust, begin=_tell_adjustment, run=adjustments_run, about="return", asks=True)
RETURN_WITH_NOTE_ABORTED = Tale(before=_enter_with_note_and_park, begin=_abort, back=True, **_RETURN)
