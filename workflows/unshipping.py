"""Shipments and packages of an order, taken back and seen to be gone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.shipping import ShippingActivities
    from domain.documents import PackageDocument
    from domain.runs import StepDone
    from domain.sales import DocumentRef
    from domain.shipping import PackagesLook
    from workflows.calls import Calls


class Unshipping:
    """Takes the shipments and packages of one order back: looks what stands, deletes it, looks again."""

    def __init__(self, calls: Calls, order: DocumentRef) -> None:
        self._calls = calls
        self._order = order

    async def delete_shipments(self, packages: tuple[PackageDocument, ...]) -> None:
        """No package has a shipment any more: the goods are in physical stock again."""
        for shipment_id in dict.fromkeys(one.shipment.shipment_id for one in packages if one.shipment):
            await self._delete(
                lambda wanted: self._calls.zoho_undo(
                    ShippingActivities.delete_shipment, wanted, "Delete the shipment: physical stock returns"
                ),
                shipment_id,
            )

    async def delete_packages(self, packages: tuple[PackageDocument, ...]) -> None:
        """Nothing of the order is packed any more."""
        for package in packages:
            await self._delete(
                lambda wanted: self._calls.zoho_undo(ShippingActivities.delete_package, wanted, "Delete the package"),
                package.package_id,
            )

    async def _delete(self, write: Callable[[DocumentRef], Awaitable[StepDone]], document_id: str) -> None:
        """Delete once, and see on the order that it is gone."""

        async def look() -> StepDone | None:
            wanted = PackagesLook(
                connection=self._order.connection,
                payment_id=self._order.payment_id,
                round=self._order.round,
                salesorder_id=self._order.document_id,
                deleted=(document_id,),
            )
            found = await self._calls.zoho_read(ShippingActivities.find_packages, wanted, "See that it is gone")
            standing = [one.package_id for one in found.packages]
            standing += [one.shipment.shipment_id for one in found.packages if one.shipment]
            return None if document_id in standing else StepDone()

        async def once(after: int) -> StepDone:
            return await write(self._order.model_copy(update={"document_id": document_id, "after": after}))

        await self._calls.settle(once, look, "undo")
        if await look() is None:
            raise ApplicationError("Zoho says yes, but it still stands", type="UndoFailed", non_retryable=True)
