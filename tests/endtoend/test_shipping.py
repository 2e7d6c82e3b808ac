"""Package and shipment through everything: both stock ledgers, lost answers, taken back, and done by others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError

from domain.policy import Ship
from tests.endtoend.test_first_order import MUGS
from tests.house import BUYER, QUICK, House, a_house

SHIPS = QUICK.model_copy(update={"ship": Ship.WHEN_PAID})
CUSTOMER = {"id": "cus_known", "name": "Grace Hopper", "email": "grace@example.com"}
MUGS_AND_SHIPPING = {"lines": MUGS, "shipping": {"amount": 500, "tax_percent": 19}}


async def moved(house: House, sku: str = "MUG") -> tuple[int, int, int, int]:
    """By how much both ledgers are below the opening stock, and what is committed in each."""
    item = next(item for item in (await house.zoho())["items"] if item["sku"] == sku)
    opening = item["opening"]
    return (
        int(opening - item["accounting"]),
        int(opening - item["physical"]),
        int(item["committed"]),
        int(item["committed_physical"]),
    )


async def counts(house: House) -> dict[str, int]:
    """How many of each document there are."""
    ledger = await house.zoho()
    return {kind: len(ledger[kind]) for kind in ("salesorders", "invoices", "payments", "packages", "shipments")}


ONE_OF_EACH = {"salesorders": 1, "invoices": 1, "payments": 1, "packages": 1, "shipments": 1}


async def metadata(house: House, payment_id: str) -> dict[str, str]:
    """What Stripe says of the payment."""
    intents = (await house.stripe())["payment_intents"]
    return dict(next(intent for intent in intents if intent["id"] == payment_id)["metadata"])


async def test_shipped_order_moves_both_ledgers_and_is_told_to_stripe(temporal_client: Client, tmp_path: Path) -> None:
    """Accounting stock by the invoice, physical stock by the shipment; tracking number and carrier in the metadata."""
    async with a_house(temporal_client, tmp_path, policy=SHIPS, seed={"preferences": TRACKED}) as house:
        paid = await house.pay(guest=BUYER, lines=MUGS)
        result = await house.done(paid["payment_intent"])
        assert await moved(house) == (2, 2, 0, 0)
        (shipment,) = (await house.zoho())["shipments"]
        told = await metadata(house, paid["payment_intent"])
        assert shipment["reference_number"] == paid["payment_intent"]
        assert (told["zoho_shipment_id"], told["shipment_status"]) == (shipment["shipment_id"], "shipped")
        assert (told["tracking_number"], told["carrier"]) == (shipment["tracking_number"], "DHL")
        assert (result["shipment_id"], result["tracking_number"]) == (shipment["shipment_id"], told["tracking_number"])
        (order,) = (await house.zoho())["salesorders"]
        assert (order["shipped_status"], order["line_items"][0]["quantity_shipped"]) == ("shipped", 2)


TRACKED = {"shipment_gets_tracking": True}


async def test_package_and_shipment_cost_two_calls(temporal_client: Client, tmp_path: Path) -> None:
    """A known customer's order is paid after five calls, and shipped after seven."""
    async with a_house(temporal_client, tmp_path, policy=SHIPS) as house:
        spent = []
        for _ in range(2):
            before = sum((await house.zoho())["calls"]["counts"].values())
            paid = await house.pay(customer=CUSTOMER, lines=MUGS)
            await house.done(paid["payment_intent"])
            spent.append(sum((await house.zoho())["calls"]["counts"].values()) - before)
    assert spent[1] == 7


async def test_only_goods_are_packed(temporal_client: Client, tmp_path: Path) -> None:
    """A service on the order, such as taxed shipping, is invoiced and stays out of the box."""
    service = {"sku": "SHIPPING", "unit_amount": 500, "quantity": 1}
    async with a_house(temporal_client, tmp_path, policy=SHIPS) as house:
        paid = await house.pay(guest=BUYER, lines=[*MUGS, service])
        await house.done(paid["payment_intent"])
        (package,) = (await house.zoho())["packages"]
        assert [line["sku"] for line in package["line_items"]] == ["MUG"]
        only = await house.pay(guest=BUYER, lines=[service])
        await house.done(only["payment_intent"])
        assert (await counts(house))["packages"] == 1


WRITES = {"package": r"/packages$", "shipment": r"/shipmentorders$"}


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("fault", ["lost", "server_error", "drop", "malformed"])
async def test_lost_answer_makes_no_second_one(temporal_client: Client, tmp_path: Path, write: str, fault: str) -> None:
    """Applied or not, there is one package and one shipment in the end, and one audit entry for each."""
    async with a_house(temporal_client, tmp_path, policy=SHIPS) as house:
        await house.fault("zoho", method="POST", path=WRITES[write], fault=fault)
        paid = await house.pay(guest=BUYER, lines=MUGS)
        await house.done(paid["payment_intent"])
        assert await counts(house) == ONE_OF_EACH
        assert await moved(house) == (2, 2, 0, 0)
        steps = [entry.step for entry in await house.store.audit.entries(house.slug)]
    assert [steps.count(step) for step in ("package", "shipment")] == [1, 1]


async def untouched(house: House) -> None:
    """Books and both ledgers are as before, and the audit trail holds."""
    ledger = await house.zoho()
    assert {row["status"] for kind in ("salesorders", "invoices") for row in ledger[kind]} == {"void"}
    assert [ledger[kind] for kind in ("payments", "packages", "shipments")] == [[], [], []]
    assert await moved(house) == (0, 0, 0, 0)
    assert (await house.store.audit.verify(house.slug)).ok


@pytest.mark.parametrize("write", WRITES)
async def test_abort_at_a_refused_step_leaves_books_and_both_ledgers_as_before(
    temporal_client: Client, tmp_path: Path, write: str
) -> None:
    """Whatever was packed or not: order and invoice are void, the payment is gone, the stock is back."""
    async with a_house(temporal_client, tmp_path, policy=SHIPS) as house:
        await house.fault("zoho", method="POST", path=WRITES[write], fault="refuse", code=4711)
        paid = await house.pay(guest=BUYER, lines=MUGS)
        assert (await house.parked(paid["payment_intent"])).step == "ship"
        await house.answer(paid["payment_intent"], "abort", reason="wrong shop")
        await house.failed(paid["payment_intent"])
        await untouched(house)


UNDOS = {"shipment": r"/shipmentorders/\d+$", "package": r"/packages/\d+$"}


@pytest.mark.parametrize("lost", ["", *UNDOS])
async def test_cancel_after_shipping_takes_it_back(temporal_client: Client, tmp_path: Path, lost: str) -> None:
    """Stripe refuses the note; cancelled there, everything goes back, also where the answer of an undo is lost."""
    async with a_house(temporal_client, tmp_path, policy=SHIPS) as house:
        await house.fault("stripe", method="POST", path="/v1/payment_intents/", fault="refuse", code="x")
        if lost:
            await house.fault("zoho", method="DELETE", path=UNDOS[lost], fault="lost")
        paid = await house.pay(guest=BUYER, lines=MUGS)
        await house.parked(paid["payment_intent"])
        assert await moved(house) == (2, 2, 0, 0)
        run = house.run_of(paid["payment_intent"])
        await run.cancel()
        with pytest.raises(WorkflowFailureError):
            await run.result()
        await untouched(house)
        steps = [entry.step.partition("#")[0] for entry in await house.store.audit.entries(house.slug)]
    assert [steps.count(step) for step in ("delete_shipment", "delete_package")] == [1, 1]


async def test_aborted_and_begun_anew_ships_again(temporal_client: Client, tmp_path: Path) -> None:
    """A second round packs and ships under a number of its own."""
    async with a_house(temporal_client, tmp_path, policy=SHIPS) as house:
        await house.fault("stripe", method="POST", path="/v1/payment_intents/", fault="refuse", code="x")
        paid = await house.pay(guest=BUYER, lines=MUGS)
        await house.parked(paid["payment_intent"])
        await house.answer(paid["payment_intent"], "abort", reason="once more")
        await house.failed(paid["payment_intent"])
        await house.post(f"{house.zoho_url}/_switches", {"void_frees_number": True})
        for event in (await house.stripe())["events"]:
            if event["type"] == "payment_intent.succeeded":
                await house.post(f"{house.stripe_url}/_events/{event['id']}/resend", {})
        await house.reached(paid["payment_intent"], "paid")
        (shipment,) = (await house.zoho())["shipments"]
        assert shipment["shipment_number"].endswith("-2")
        assert await moved(house) == (2, 2, 0, 0)


OWN_STEPS: Sequence[tuple[str, dict[str, Any]]] = (
    ("invoice", {}),
    ("payment", {"customerpayments": 0}),
    ("shipment", {"customerpayments": 0, "packages": 0, "shipmentorders": 0}),
)


@pytest.mark.parametrize(("steps", "spared"), OWN_STEPS)
async def test_organisation_that_does_steps_by_itself_does_not_get_them_twice(
    temporal_client: Client, tmp_path: Path, steps: str, spared: dict[str, int]
) -> None:
    """One of each document, none of them written by us where it was there, and stock moved once in each ledger."""
    seed = {"preferences": {"so_cycle_preference": steps}}
    async with a_house(temporal_client, tmp_path, policy=SHIPS, seed=seed) as house:
        paid = await house.pay(guest=BUYER, lines=MUGS)
        await house.done(paid["payment_intent"])
        assert await counts(house) == ONE_OF_EACH
        assert await moved(house) == (2, 2, 0, 0)
        asked = (await house.zoho())["calls"]["counts"]
        told = await metadata(house, paid["payment_intent"])
    for path, times in ({"invoices": 0} | spared).items():
        assert asked.get(f"POST /{path}", 0) == times
    assert told["zoho_shipment_id"]


async def test_own_steps_are_taken_back_too(temporal_client: Client, tmp_path: Path) -> None:
    """What the organisation made by itself on confirming goes as well when the run is aborted."""
    seed = {"preferences": {"so_cycle_preference": "shipment"}}
    async with a_house(temporal_client, tmp_path, seed=seed) as house:
        await house.fault("stripe", method="POST", path="/v1/payment_intents/", fault="refuse", code="x")
        paid = await house.pay(guest=BUYER, lines=MUGS)
        await house.parked(paid["payment_intent"])
        assert await counts(house) == ONE_OF_EACH
        await house.answer(paid["payment_intent"], "abort", reason="wrong shop")
        await house.failed(paid["payment_intent"])
        await untouched(house)
