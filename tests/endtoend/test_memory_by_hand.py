"""Contacts and items that people change in Zoho: what we remember of them follows, and no payment fails for it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from domain.by_hand import ZohoList
from tests.endtoend.by_hand import RARELY, a_shop, polled, sold
from tests.endtoend.zoho_desk import Desk
from tests.house import House

EACH_TIME = RARELY.model_copy(update={"checks": 0, "memory_every": timedelta(0)})


async def the_order(house: House, order_id: str) -> Any:
    """The order as Zoho shows it."""
    return (await Desk(house).call("GET", f"/salesorders/{order_id}"))["salesorder"]


async def corrected(desk: Desk, contact: dict[str, Any]) -> None:
    """Somebody gives the contact to another person."""
    (person,) = contact["contact_persons"]
    body = {"contact_id": contact["contact_id"], "first_name": "Grace", "email": "grace@example.com"}
    await desk.call("PUT", f"/contacts/contactpersons/{person['contact_person_id']}", body)


async def retired(desk: Desk, contact: dict[str, Any]) -> None:
    """Somebody marks the contact as inactive, or Zoho does when it is merged with another."""
    await desk.call("POST", f"/contacts/{contact['contact_id']}/inactive")


async def revalued(desk: Desk, contact: dict[str, Any]) -> None:
    """Somebody gives the contact another currency."""
    currencies = (await desk.call("GET", "/settings/currencies"))["currencies"]
    other = next(row for row in currencies if row["currency_code"] == "USD")
    await desk.call("PUT", f"/contacts/{contact['contact_id']}", {"currency_id": other["currency_id"]})


@pytest.mark.parametrize("changes", [corrected, retired, revalued])
async def test_a_contact_that_is_its_payers_no_longer(temporal_client: Client, tmp_path: Path, changes: Any) -> None:
    """The payer's next order is written for a contact of his own, without a person's help."""
    seed = {"preferences": {"contact_currency_changeable": True}}
    async with a_shop(temporal_client, tmp_path, by_hand=EACH_TIME, seed=seed) as house:
        _, first = await sold(house)
        desk, contact_id = Desk(house), (await the_order(house, first))["customer_id"]
        await changes(desk, (await desk.call("GET", f"/contacts/{contact_id}"))["contact"])
        await polled(house)
        _, second = await sold(house)
        order = await the_order(house, second)
        assert order["customer_id"] != contact_id
        own = (await desk.call("GET", f"/contacts/{order['customer_id']}"))["contact"]
        assert (own["email"], own["currency_code"], own["status"]) == ("ada@example.com", "EUR", "active")
        assert (await the_order(house, (await sold(house))[1]))["customer_id"] == order["customer_id"]


async def test_a_contact_that_is_renamed_stays_its_payers(temporal_client: Client, tmp_path: Path) -> None:
    """A name tells nobody, and costs nothing: what is remembered stays."""
    async with a_shop(temporal_client, tmp_path, by_hand=EACH_TIME) as house:
        _, first = await sold(house)
        contact_id = (await the_order(house, first))["customer_id"]
        await Desk(house).call("PUT", f"/contacts/{contact_id}", {"contact_name": "Ada Lovelace (VIP)"})
        await polled(house)
        before = (await house.zoho(only="calls"))["calls"]["counts"]
        _, second = await sold(house)
        assert (await the_order(house, second))["customer_id"] == contact_id
        assert (await house.zoho(only="calls"))["calls"]["counts"]["GET /contacts"] == before["GET /contacts"]


async def renamed(desk: Desk, item: dict[str, Any]) -> None:
    """The item gets another SKU."""
    await desk.call("PUT", f"/items/{item['item_id']}", {"sku": "MUG-OLD"})


async def left_out(desk: Desk, item: dict[str, Any]) -> None:
    """The same, and it is sold no more."""
    await renamed(desk, item)
    await desk.call("POST", f"/items/{item['item_id']}/inactive")


@pytest.mark.parametrize("changes", [renamed, left_out])
async def test_an_item_whose_sku_another_one_has(temporal_client: Client, tmp_path: Path, changes: Any) -> None:
    """The next payment sells the item that has the SKU now."""
    async with a_shop(temporal_client, tmp_path, by_hand=EACH_TIME) as house:
        await sold(house)
        desk = Desk(house)
        old = next(row for row in (await desk.call("GET", "/items"))["items"] if row["sku"] == "MUG")
        await changes(desk, old)
        made = (await desk.call("POST", "/items", {"name": "Mug, new", "sku": "MUG", "initial_stock": 9}))["item"]
        await polled(house)
        _, order_id = await sold(house)
        assert [line["item_id"] for line in (await the_order(house, order_id))["line_items"]] == [made["item_id"]]


async def test_an_item_that_was_deleted_and_made_anew(temporal_client: Client, tmp_path: Path) -> None:
    """No list tells that one is gone: the payment meets it, asks anew, and waits for nobody."""
    async with a_shop(temporal_client, tmp_path, by_hand=EACH_TIME) as house:
        await sold(house)
        await house.post(f"{house.zoho_url}/_switches", {"delete_with_children_refused": False})
        desk = Desk(house)
        old = next(row for row in (await desk.call("GET", "/items"))["items"] if row["sku"] == "MUG")
        await desk.call("DELETE", f"/items/{old['item_id']}")
        made = (await desk.call("POST", "/items", {"name": "Mug, new", "sku": "MUG", "initial_stock": 9}))["item"]
        _, order_id = await sold(house)
        assert [line["item_id"] for line in (await the_order(house, order_id))["line_items"]] == [made["item_id"]]


async def test_a_shop_that_reads_no_such_list(temporal_client: Client, tmp_path: Path) -> None:
    """It asks Zoho for orders only."""
    orders = EACH_TIME.model_copy(update={"lists": (ZohoList.SALES_ORDERS,)})
    async with a_shop(temporal_client, tmp_path, by_hand=orders) as house:
        await polled(house)
        counts = (await house.zoho(only="calls"))["calls"]["counts"]
        assert {name: count for name, count in counts.items() if name.startswith("GET")} == {"GET /salesorders": 1}
