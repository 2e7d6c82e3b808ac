"""A set that Zoho does not know as one: its parts leave stock by an adjustment, once, and come back with the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from cli.ledger_check import check
from domain.mapping_policy import BundlePart
from tests.house import BUYER, ITEMS, MAPPING, House, a_house

SETS = MAPPING.model_copy(
    update={"bundle_parts": {"GIFT-SET": (BundlePart(sku="MUG", quantity=2), BundlePart(sku="TEA"))}}
)
CUSTOMER = {"id": "cus_known", "name": "Grace Hopper", "email": "grace@example.com"}
TWO_SETS_AND_A_MUG = [
    {"sku": "GIFT-SET", "unit_amount": 4000, "quantity": 2},
    {"sku": "MUG", "unit_amount": 1500, "quantity": 1},
]


def selling(**item: Any) -> dict[str, Any]:
    """A shop with the set, by default an item whose stock Zoho does not track."""
    made = {"sku": "GIFT-SET", "name": "Gift set", "rate": 40, "track_inventory": False} | item
    return {"items": [*ITEMS, made]}


async def moved(house: House, sku: str) -> tuple[int, int]:
    """By how much accounting and physical stock are below the opening."""
    item = next(item for item in (await house.zoho())["items"] if item["sku"] == sku)
    return int(item["opening"] - item["accounting"]), int(item["opening"] - item["physical"])


async def test_parts_leave_stock_by_one_adjustment(temporal_client: Client, tmp_path: Path) -> None:
    """Two sets of two mugs and a tea, and a mug of its own: the mug's line by the invoice, the rest adjusted."""
    async with a_house(temporal_client, tmp_path, seed=selling(), mapping=SETS) as house:
        paid = await house.pay(guest=BUYER, lines=TWO_SETS_AND_A_MUG)
        await house.done(paid["payment_intent"])
        assert await moved(house, "MUG") == (5, 4)
        assert await moved(house, "TEA") == (2, 2)
        ledger = await house.zoho()
        (made,) = ledger["adjustments"]
        assert (made["reference_number"], made["status"]) == (paid["payment_intent"], "adjusted")
        assert len(made["reason"]) <= 50
        sold = {paid["payment_intent"]: {"MUG": 5, "TEA": 2}}
        assert check(await house.stripe(), ledger, sold) == []


async def test_an_order_of_sets_costs_two_calls_more(temporal_client: Client, tmp_path: Path) -> None:
    """One look whether no document moves them, one adjustment; an order without sets costs neither."""
    async with a_house(temporal_client, tmp_path, seed=selling(), mapping=SETS) as house:
        spent = []
        for lines in (TWO_SETS_AND_A_MUG, TWO_SETS_AND_A_MUG, TWO_SETS_AND_A_MUG[1:]):
            before = sum((await house.zoho())["calls"]["counts"].values())
            paid = await house.pay(customer=CUSTOMER, lines=lines)
            await house.done(paid["payment_intent"])
            spent.append(sum((await house.zoho())["calls"]["counts"].values()) - before)
    assert spent[1:] == [7, 5]


async def test_gifts_leave_stock_with_the_goods_they_go_with(temporal_client: Client, tmp_path: Path) -> None:
    """A card with the order and a tea with each mug, in one adjustment; an abort brings them back with the rest."""
    gifts = {"*": (BundlePart(sku="CARD"),), "MUG": (BundlePart(sku="TEA"),)}
    seed = {"items": [*ITEMS, {"sku": "CARD", "name": "Card", "rate": 1, "stock": 50}]}
    mapping = MAPPING.model_copy(update={"gifts": gifts})
    mugs = [{"sku": "MUG", "unit_amount": 1500, "quantity": 3}]
    async with a_house(temporal_client, tmp_path, seed=seed, mapping=mapping) as house:
        paid = await house.pay(guest=BUYER, lines=mugs)
        await house.done(paid["payment_intent"])
        assert [await moved(house, sku) for sku in ("MUG", "TEA", "CARD")] == [(3, 0), (3, 3), (1, 1)]
        assert len((await house.zoho())["adjustments"]) == 1
        await house.fault("stripe", method="POST", path="/v1/payment_intents/", fault="refuse", code="x")
        back = await house.pay(guest=BUYER, lines=mugs)
        await house.parked(back["payment_intent"])
        await house.answer(back["payment_intent"], "abort", reason="wrong shop")
        await house.failed(back["payment_intent"])
        assert [await moved(house, sku) for sku in ("MUG", "TEA", "CARD")] == [(3, 0), (3, 3), (1, 1)]


@pytest.mark.parametrize("fault", ["lost", "server_error", "drop", "malformed"])
async def test_lost_answer_adjusts_once(temporal_client: Client, tmp_path: Path, fault: str) -> None:
    """Applied or not, there is one adjustment in the end, and one audit entry."""
    async with a_house(temporal_client, tmp_path, seed=selling(), mapping=SETS) as house:
        await house.fault("zoho", method="POST", path=r"/inventoryadjustments$", fault=fault)
        paid = await house.pay(guest=BUYER, lines=TWO_SETS_AND_A_MUG)
        await house.done(paid["payment_intent"])
        assert len((await house.zoho())["adjustments"]) == 1
        assert await moved(house, "TEA") == (2, 2)
        steps = [entry.step for entry in await house.store.audit.entries(house.slug)]
    assert steps.count("adjust_stock") == 1


@pytest.mark.parametrize("lost", [False, True])
async def test_abort_puts_the_parts_back(temporal_client: Client, tmp_path: Path, lost: bool) -> None:
    """The adjustment is deleted, seen to be gone, and audited once, also where that answer was lost."""
    async with a_house(temporal_client, tmp_path, seed=selling(), mapping=SETS) as house:
        await house.fault("stripe", method="POST", path="/v1/payment_intents/", fault="refuse", code="x")
        paid = await house.pay(guest=BUYER, lines=TWO_SETS_AND_A_MUG)
        await house.parked(paid["payment_intent"])
        if lost:
            await house.fault("zoho", method="DELETE", path=r"/inventoryadjustments/\d+$", fault="lost")
        await house.answer(paid["payment_intent"], "abort", reason="wrong shop")
        await house.failed(paid["payment_intent"])
        assert (await house.zoho())["adjustments"] == []
        assert [await moved(house, sku) for sku in ("MUG", "TEA")] == [(0, 0), (0, 0)]
        assert (await house.store.audit.verify(house.slug)).ok
        steps = [entry.step.partition("#")[0] for entry in await house.store.audit.entries(house.slug)]
    assert steps.count("restore_stock") == 1


@pytest.mark.parametrize(
    ("item", "words"),
    [({"track_inventory": True, "stock": 50}, "moves the stock of GIFT-SET"), ({}, "tracks no stock of SHIPPING")],
)
async def test_what_would_count_twice_or_not_at_all_parks(
    temporal_client: Client, tmp_path: Path, item: dict[str, Any], words: str
) -> None:
    """A set that Zoho tracks itself is never adjusted, nor a part that has no stock. A person may leave it out."""
    parts = SETS.bundle_parts if item else {"GIFT-SET": (BundlePart(sku="SHIPPING"),)}
    mapping = MAPPING.model_copy(update={"bundle_parts": parts})
    async with a_house(temporal_client, tmp_path, seed=selling(**item), mapping=mapping) as house:
        paid = await house.pay(guest=BUYER, lines=TWO_SETS_AND_A_MUG)
        trouble = await house.parked(paid["payment_intent"])
        assert (trouble.attention_class, trouble.step) == ("set_in_stock", "adjust")
        assert words in trouble.message
        await house.answer(paid["payment_intent"], "skip", reason="counted by hand")
        await house.done(paid["payment_intent"])
        ledger = await house.zoho()
        assert ledger["adjustments"] == []
        assert check(await house.stripe(), ledger) == []


async def test_unknown_part_parks_before_anything_is_written(temporal_client: Client, tmp_path: Path) -> None:
    """A part that Zoho does not have is a problem of the plan."""
    mapping = MAPPING.model_copy(update={"bundle_parts": {"GIFT-SET": (BundlePart(sku="NOBODY"),)}})
    async with a_house(temporal_client, tmp_path, seed=selling(), mapping=mapping) as house:
        paid = await house.pay(guest=BUYER, lines=TWO_SETS_AND_A_MUG)
        trouble = await house.parked(paid["payment_intent"])
        assert (trouble.attention_class, "NOBODY" in trouble.message) == ("unknown_sku", True)
        assert (await house.zoho())["salesorders"] == []
