"""Package and shipment of an order: written, found on the order itself, taken back."""

from __future__ import annotations

from temporalio import activity

from activities.dossier import Dossier
from activities.effects import Once
from activities.shops import Shops
from domain.runs import StepDone
from domain.sales import DocumentRef
from domain.shipping import PackageInput, PackagesFound, PackagesLook, PackageWritten, ShipmentInput, ShipmentWritten

_PACKAGE = "package"
_SHIPMENT = "shipment"
# With the document's id: an order may have several.
_DELETE_PACKAGE = "delete_package"
_DELETE_SHIPMENT = "delete_shipment"


class ShippingActivities:
    """One Zoho call each."""

    def __init__(self, shops: Shops, dossier: Dossier, once: Once) -> None:
        self._shops = shops
        self._dossier = dossier
        self._once = once

    @activity.defn
    async def create_package(self, wanted: PackageInput) -> PackageWritten:
        """Pack the order's goods; no stock moves yet."""
        draft = await self._dossier.order(wanted, wanted.order_ref)

        async def call() -> PackageWritten:
            made = await self._shops[wanted.connection].zoho.create_package(draft, wanted)
            return PackageWritten(package_id=made.package_id, number=made.number)

        return await self._once.write(_PACKAGE, wanted, PackageWritten, call)

    @activity.defn
    async def create_shipment(self, wanted: ShipmentInput) -> ShipmentWritten:
        """Send the packages on their way: physical stock moves."""
        draft = await self._dossier.order(wanted, wanted.order_ref)
        shop = self._shops[wanted.connection]

        async def call() -> ShipmentWritten:
            made = await shop.zoho.create_shipment(draft, wanted, shop.mapping)
            return ShipmentWritten.of(made, *wanted.package_ids)

        return await self._once.write(_SHIPMENT, wanted, ShipmentWritten, call)

    @activity.defn
    async def find_packages(self, wanted: PackagesLook) -> PackagesFound:
        """The order's packages, read off the order itself; closes what waits for a lost answer."""
        found = (await self._shops[wanted.connection].zoho.sales_order(wanted.salesorder_id)).packages
        standing = {package.package_id for package in found}
        for package in found[:1]:
            made = PackageWritten(package_id=package.package_id, number=package.number)
            await self._once.adopt_begun(_PACKAGE, wanted, made)
        for package in found:
            if package.shipment:
                standing.add(package.shipment.shipment_id)
                went = ShipmentWritten.of(package.shipment, package.package_id)
                await self._once.adopt_begun(_SHIPMENT, wanted, went)
        for gone in set(wanted.deleted) - standing:
            for step in (f"{_DELETE_SHIPMENT}#{gone}", f"{_DELETE_PACKAGE}#{gone}"):
                await self._once.adopt_begun(step, wanted, StepDone())
        return PackagesFound(packages=found)

    @activity.defn
    async def delete_package(self, wanted: DocumentRef) -> StepDone:
        """Take a package back, which has no shipment any more."""

        async def call() -> StepDone:
            await self._shops[wanted.connection].zoho.delete_package(wanted.document_id)
            return StepDone()

        return await self._once.write(f"{_DELETE_PACKAGE}#{wanted.document_id}", wanted, StepDone, call)

    @activity.defn
    async def delete_shipment(self, wanted: DocumentRef) -> StepDone:
        """Take a shipment back: its goods return to physical stock."""

        async def call() -> StepDone:
            await self._shops[wanted.connection].zoho.delete_shipment(wanted.document_id)
            return StepDone()

        return await self._once.write(f"{_DELETE_SHIPMENT}#{wanted.document_id}", wanted, StepDone, call)
