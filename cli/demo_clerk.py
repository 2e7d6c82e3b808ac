"""The demo's clerk: packs an order in Zoho, and enters and receives what comes back, through Zoho's own API."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from cli.ledgers import Sandboxes
from cli.shop import ORGANIZATION, ORGANIZATION_ID


class Clerk:
    """Does with the sandbox what Zoho's app does for a person."""

    def __init__(self, sandboxes: Sandboxes) -> None:
        self._sandboxes = sandboxes
        self._token = ""
        self._today = datetime.now(UTC).date().isoformat()

    async def ships(self, order_id: str, payment_id: str) -> None:
        """The whole order leaves the house."""
        lines = (await self._read(f"/salesorders/{order_id}"))["salesorder"]["line_items"]
        rows = [{"so_line_item_id": line["line_item_id"], "quantity": int(line["quantity"])} for line in lines]
        packed = {"date": self._today, "line_items": rows}
        package = (await self._post("/packages", packed, salesorder_id=order_id))["package"]["package_id"]
        sent = {"date": self._today, "delivery_method": "Parcel", "shipment_number": f"SH-{package}"}
        links = {"salesorder_id": order_id, "package_ids": package}
        await self._post("/shipmentorders", {**sent, "reference_number": payment_id}, **links)

    async def takes_back(self, order_id: str, pieces: Sequence[tuple[str, int]]) -> str:
        """A return of `pieces` (SKU and how many) is entered, and everything of it received; its number."""
        order = (await self._read(f"/salesorders/{order_id}"))["salesorder"]
        lines = {line["sku"]: line for line in order["line_items"]}
        rows = [
            {"item_id": lines[sku]["item_id"], "salesorder_item_id": lines[sku]["line_item_id"], "quantity": quantity}
            for sku, quantity in pieces
        ]
        made = await self._post("/salesreturns", {"line_items": rows, "reason": "Too large"}, salesorder_id=order_id)
        back = made["salesreturn"]
        here = [
            {"line_item_id": line["line_item_id"], "quantity": int(line["quantity"])} for line in back["line_items"]
        ]
        body = {"date": self._today, "line_items": here}
        await self._post("/salesreturnreceives", body, salesreturn_id=back["salesreturn_id"])
        return str(back["salesreturn_number"])

    async def _read(self, path: str) -> dict[str, Any]:
        return await self._call("GET", path, None, {})

    async def _post(self, path: str, body: dict[str, Any], **query: str) -> dict[str, Any]:
        return await self._call("POST", path, body, query)

    async def _call(self, method: str, path: str, body: dict[str, Any] | None, query: dict[str, str]) -> dict[str, Any]:
        if not self._token:
            names = ("client_id", "client_secret", "refresh_token")
            self._token = await self._sandboxes.zoho_token({name: ORGANIZATION[name] for name in names})
        asked = {"organization_id": ORGANIZATION_ID, **query}
        return await self._sandboxes.zoho(method, path, self._token, body, asked)
