"""Goods of one organisation: what there is of them, what adjusts it, and how they leave."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from clients.errors import NotFound, Refused
from clients.zoho.client import ZohoClient
from clients.zoho.translation.goods import item_facts, item_stock, new_adjustment, new_package, new_shipment
from clients.zoho.translation.orders import shipment_document
from domain.documents import ItemFacts, ItemStock, PackageDocument, Part, ShipmentDocument
from domain.mapping_policy import MappingPolicy
from domain.orders import OrderDraft
from domain.shipping import PackageInput, ShipmentInput


class ZohoGoods:
    """Items, adjustments of their stock, packages and shipments."""

    _client: ZohoClient

    async def items(self, sku: str) -> list[ItemFacts]:
        """Items with exactly this SKU."""
        rows = await self._client.find_items(sku=sku)
        return [item_facts(row) for row in rows]

    async def stocks(self, item_ids: Sequence[str]) -> list[ItemStock]:
        """The stock of these items; those that Zoho does not have are left out."""
        return [item_stock(row) for row in await self._client.list_item_details(item_ids)]

    async def left_for_sale(self, item_ids: Sequence[str]) -> dict[str, Decimal]:
        """What is left for sale of those items whose stock Zoho tracks. Refused where it does not say how much."""
        tracked = [item for item in await self.stocks(item_ids) if item.tracked and item.item_id in item_ids]
        if silent := [item.sku or item.item_id for item in tracked if item.left is None]:
            fault = f"the answer does not say what is left for sale of {', '.join(silent)}"
            raise Refused("zoho", f"{fault}; set policy.oversell to go_on, or skip this look", code="no_stock_told")
        return {item.item_id: item.left for item in tracked if item.left is not None}

    async def adjust_stock(self, draft: OrderDraft, parts: Sequence[Part]) -> tuple[str, str]:
        """Take the parts out of stock; id and status of the adjustment, which has the payment id as reference."""
        made = await self._client.create_adjustment(new_adjustment(draft, parts))
        return made.inventory_adjustment_id, made.status

    async def find_adjustments(self, reference: str) -> list[str]:
        """The ids of the adjustments with this reference."""
        rows = await self._client.find_adjustments(reference_number=reference)
        return [row.inventory_adjustment_id for row in rows]

    async def has_adjustment(self, adjustment_id: str) -> bool:
        """Whether this adjustment still stands."""
        try:
            await self._client.get_adjustment(adjustment_id)
        except NotFound:
            return False
        return True

    async def delete_adjustment(self, adjustment_id: str) -> None:
        """Take an adjustment back."""
        await self._client.delete_adjustment(adjustment_id)

    async def create_package(self, draft: OrderDraft, wanted: PackageInput) -> PackageDocument:
        """The order's goods in one package."""
        made = await self._client.create_package(wanted.salesorder_id, new_package(draft, wanted.goods))
        return PackageDocument(package_id=made.package_id, number=made.package_number)

    async def create_shipment(
        self, draft: OrderDraft, wanted: ShipmentInput, mapping: MappingPolicy
    ) -> ShipmentDocument:
        """The packages on their way, with the payment id as reference."""
        body = new_shipment(draft, wanted.number, mapping.delivery_method)
        return shipment_document(await self._client.create_shipment(wanted.salesorder_id, wanted.package_ids, body))

    async def delete_package(self, package_id: str) -> None:
        """Take a package back."""
        await self._client.delete_package(package_id)

    async def delete_shipment(self, shipment_id: str) -> None:
        """Take a shipment back: its goods are in physical stock again."""
        await self._client.delete_shipment(shipment_id)
