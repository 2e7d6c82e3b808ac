"""Package and shipment of a paid order, each written once."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.shipping import ShippingActivities
    from domain.documents import PackageDocument
    from domain.numbers import shipment_number
    from domain.runs import PaymentRef, UndoKind
    from domain.sales import OrderInput, OrderWritten
    from domain.shipping import (
        PackageInput,
        PackagesFound,
        PackagesLook,
        PackageWritten,
        ShipmentInput,
        ShipmentWritten,
    )
    from workflows.calls import Calls
    from workflows.compensation import UndoStack


class Shipping:
    """One order's way out of the house: its goods in one package, its packages in one shipment."""

    def __init__(self, calls: Calls, wanted: OrderInput, order: OrderWritten, undo: UndoStack) -> None:
        self._calls = calls
        self._wanted = wanted
        self._order = order
        self._undo = undo
        self._ref = PaymentRef(
            connection=wanted.connection, payment_id=wanted.payment_id, round=wanted.round, change=wanted.change
        )

    async def ship(self, *, look_first: bool) -> ShipmentWritten:
        """The shipment of all the order's goods. Packages that stand are taken; what has been shipped is adopted.

        `look_first` where somebody may have packed since the order was read.
        """
        packages = self._order.packages
        if not packages and look_first:
            packages = (await self._look()).packages
        waiting = tuple(package.package_id for package in packages if package.shipment is None)
        if not packages:
            waiting = ((await self._write_package()).package_id,)
        return await self._write_shipment(waiting) if waiting else _went(packages)

    async def _write_package(self) -> PackageWritten:
        wanted = PackageInput(
            **dict(self._ref),
            order_ref=self._wanted.order_ref,
            salesorder_id=self._order.salesorder_id,
            goods=self._order.goods,
        )
        self._undo.register(UndoKind.DELETE_PACKAGE)

        async def write(after: int) -> PackageWritten:
            return await self._calls.zoho_write(
                ShippingActivities.create_package,
                wanted.model_copy(update={"after": after}),
                f"Pack the goods of {self._wanted.number}",
            )

        async def look() -> PackageWritten | None:
            found = (await self._look()).packages
            return PackageWritten(package_id=found[0].package_id, number=found[0].number) if found else None

        return await self._calls.settle(write, look, "package")

    async def _write_shipment(self, package_ids: tuple[str, ...]) -> ShipmentWritten:
        wanted = ShipmentInput(
            **dict(self._ref),
            order_ref=self._wanted.order_ref,
            salesorder_id=self._order.salesorder_id,
            package_ids=package_ids,
            number=shipment_number(self._ref.payment_id, self._ref.round),
        )
        self._undo.register(UndoKind.DELETE_SHIPMENT)

        async def write(after: int) -> ShipmentWritten:
            return await self._calls.zoho_write(
                ShippingActivities.create_shipment,
                wanted.model_copy(update={"after": after}),
                f"Ship {self._wanted.number}: physical stock moves",
            )

        async def look() -> ShipmentWritten | None:
            found = (await self._look()).packages
            return _went(found) if found and all(package.shipment for package in found) else None

        return await self._calls.settle(write, look, "shipment")

    async def _look(self) -> PackagesFound:
        wanted = PackagesLook(**dict(self._ref), salesorder_id=self._order.salesorder_id)
        return await self._calls.zoho_read(
            ShippingActivities.find_packages, wanted, f"See what of {self._wanted.number} is packed and shipped"
        )


def _went(packages: tuple[PackageDocument, ...]) -> ShipmentWritten:
    """The first shipment, with every package."""
    first = next(package.shipment for package in packages if package.shipment)
    return ShipmentWritten.of(first, *(package.package_id for package in packages))
