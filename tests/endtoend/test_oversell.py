"""Fifty buyers and ten pieces: who gets one, who waits for a person, and what that costs."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from cli.ledger_check import check
from domain.policy import Oversell, PaymentPolicy, Ship
from tests.clients.store.conftest import run_sql
from tests.endtoend.test_first_order import token
from tests.house import BUYER, ITEMS, ORGANIZATION, QUICK, House, a_house
from workflows import contract

CUSTOMER = {"id": "cus_known", "name": "Grace Hopper", "email": "grace@example.com"}
ONE = [{"sku": "LAST", "unit_amount": 4990, "quantity": 1}]


def selling(pieces: int) -> dict[str, Any]:
    """A shop with so many pieces of the item that everybody wants."""
    return {"items": [*ITEMS, {"sku": "LAST", "name": "Last piece", "rate": 49.9, "stock": pieces}]}


def policy(oversell: Oversell, **changes: Any) -> PaymentPolicy:
    """A quick shop that looks before it sells."""
    return QUICK.model_copy(update={"oversell": oversell, **changes})


HOLD = policy(Oversell.HOLD)


async def stock(house: House) -> tuple[int, int]:
    """Pieces sold and pieces promised of the last item."""
    item = next(item for item in (await house.zoho())["items"] if item["sku"] == "LAST")
    return int(item["opening"] - item["accounting"]), int(item["committed"])


async def closed_or_parked(house: House, payment_id: str) -> str:
    """How the payment stands once nothing moves: `paid`, or the class it waits with."""

    async def ends() -> str:
        return str((await house.done(payment_id, within=120))["stage"])

    async def asks() -> str:
        return (await house.parked(payment_id, within=120)).attention_class.value

    both = (asyncio.ensure_future(ends()), asyncio.ensure_future(asks()))
    first, rest = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    (task,) = first
    return task.result()


async def test_fifty_buyers_and_ten_pieces(temporal_client: Client, tmp_path: Path) -> None:
    """Ten orders are confirmed and paid, forty payments wait for a person with nothing written, and books agree."""
    async with a_house(temporal_client, tmp_path, workers=2, seed=selling(10), policy=HOLD) as house:
        buyers = [{**BUYER, "email": f"buyer{number}@example.com"} for number in range(50)]
        paid = await asyncio.gather(*(house.pay(guest=buyer, lines=ONE) for buyer in buyers))
        ids = [str(one["payment_intent"]) for one in paid]
        stands = await asyncio.gather(*(closed_or_parked(house, one) for one in ids))
        assert Counter(stands) == {"paid": 10, "oversold": 40}
        assert await stock(house) == (10, 0)
        ledger = await house.zoho()
        assert [len(ledger[kind]) for kind in ("salesorders", "invoices", "payments")] == [10, 10, 10]
        missing = {one for one, how in zip(ids, stands, strict=True) if how == "oversold"}
        assert {v.subject for v in check(await house.stripe(), ledger) if v.invariant == "I1"} == missing


async def test_a_look_costs_one_call_and_a_refusal_one_more(temporal_client: Client, tmp_path: Path) -> None:
    """A known customer's order six calls where it was five; one that is held, two; a shop that goes on, none more."""
    async with a_house(temporal_client, tmp_path, seed=selling(2), policy=HOLD) as house:
        spent = []
        for number in range(3):
            before = sum((await house.zoho())["calls"]["counts"].values())
            paid = await house.pay(customer=CUSTOMER, lines=ONE)
            if number < 2:
                await house.done(paid["payment_intent"])
            else:
                trouble = await house.parked(paid["payment_intent"])
                assert "LAST (1 wanted, 0 left)" in trouble.message
            spent.append(sum((await house.zoho())["calls"]["counts"].values()) - before)
    assert spent[1:] == [6, 2]


async def test_held_payment_goes_on_once_there_is_more(temporal_client: Client, tmp_path: Path) -> None:
    """More stock and a retry: looked at again, ordered and paid."""
    async with a_house(temporal_client, tmp_path, seed=selling(0), policy=HOLD) as house:
        paid = await house.pay(guest=BUYER, lines=ONE)
        trouble = await house.parked(paid["payment_intent"])
        assert (trouble.attention_class, trouble.step, trouble.skippable) == ("oversold", "stock", True)
        await refill(house, 1)
        await house.answer(paid["payment_intent"], "retry")
        assert (await house.done(paid["payment_intent"]))["stage"] == "paid"


async def refill(house: House, pieces: int) -> None:
    """Somebody counts again."""
    item = next(item for item in (await house.zoho())["items"] if item["sku"] == "LAST")
    line = {"item_id": item["item_id"], "quantity_adjusted": pieces}
    answer = await house.http.post(
        f"{house.zoho_url}/inventory/v1/inventoryadjustments?organization_id={ORGANIZATION}",
        headers={"Authorization": f"Zoho-oauthtoken {await token(house)}"},
        json={"date": "2026-11-23", "reason": "Recount", "adjustment_type": "quantity", "line_items": [line]},
    )
    answer.raise_for_status()


async def test_skip_sells_beyond_stock_and_says_who_wanted_it(temporal_client: Client, tmp_path: Path) -> None:
    """A person may sell what is not there: the audit trail keeps that, and the next payment counts it."""
    async with a_house(temporal_client, tmp_path, seed=selling(0), policy=HOLD) as house:
        paid = await house.pay(guest=BUYER, lines=ONE)
        await house.parked(paid["payment_intent"])
        await house.answer(paid["payment_intent"], "skip", reason="comes in tomorrow")
        assert (await house.done(paid["payment_intent"]))["stage"] == "paid"
        assert await stock(house) == (1, 0)
        steps = [entry.step for entry in await house.store.audit.entries(house.slug)]
        assert "sell_beyond_stock" in steps


async def test_abort_of_a_held_payment_leaves_nothing(temporal_client: Client, tmp_path: Path) -> None:
    """Nothing was written, so nothing is undone; the piece is free for the next."""
    async with a_house(temporal_client, tmp_path, seed=selling(0), policy=HOLD) as house:
        paid = await house.pay(guest=BUYER, lines=ONE)
        await house.parked(paid["payment_intent"])
        await house.answer(paid["payment_intent"], "abort", reason="sold out")
        await house.failed(paid["payment_intent"])
        assert (await house.zoho())["salesorders"] == []


async def test_aborted_order_frees_its_piece(temporal_client: Client, tmp_path: Path) -> None:
    """What was confirmed and then voided is free in Zoho and in our store: the next buyer gets it."""
    async with a_house(temporal_client, tmp_path, seed=selling(1), policy=HOLD) as house:
        await house.fault("zoho", method="POST", path="/customerpayments$", fault="refuse", code=4711)
        first = await house.pay(guest=BUYER, lines=ONE)
        await house.parked(first["payment_intent"])
        await house.answer(first["payment_intent"], "abort", reason="wrong shop")
        await house.failed(first["payment_intent"])
        second = await house.pay(customer=CUSTOMER, lines=ONE)
        assert (await house.done(second["payment_intent"]))["stage"] == "paid"


async def test_refused_order_lets_go_while_it_waits(temporal_client: Client, tmp_path: Path) -> None:
    """A payment that parks before its order is confirmed holds no piece back from others."""
    async with a_house(temporal_client, tmp_path, seed=selling(1), policy=HOLD) as house:
        await house.fault("zoho", method="POST", path="/salesorders$", fault="refuse", code=4711)
        first = await house.pay(guest=BUYER, lines=ONE)
        assert (await house.parked(first["payment_intent"])).attention_class == "zoho_refused"
        second = await house.pay(customer=CUSTOMER, lines=ONE)
        await house.done(second["payment_intent"])
        await house.answer(first["payment_intent"], "retry")
        async with asyncio.timeout(30):
            while (await house.parked(first["payment_intent"])).attention_class != "oversold":
                await asyncio.sleep(0.05)


async def test_backorder_is_confirmed_marked_and_not_shipped(temporal_client: Client, tmp_path: Path) -> None:
    """The order says it is backordered, its invoice is paid, and no package leaves though the shop ships."""
    backorder = policy(Oversell.BACKORDER, ship=Ship.WHEN_PAID)
    async with a_house(temporal_client, tmp_path, seed=selling(0), policy=backorder) as house:
        paid = await house.pay(guest=BUYER, lines=ONE)
        await house.done(paid["payment_intent"])
        ledger = await house.zoho()
        (order,) = ledger["salesorders"]
        assert order["notes"].startswith("Backordered: LAST (1 wanted, 0 left)")
        assert ledger["packages"] == []
        progress = await house.run_of(paid["payment_intent"]).query(contract.PROGRESS)
        assert any(note.startswith("backordered: LAST") for note in progress["notes"])
        assert any(note.startswith("not shipped: backordered") for note in progress["notes"])


async def test_zoho_that_tells_no_number_parks_instead_of_guessing(temporal_client: Client, tmp_path: Path) -> None:
    """Where the answer lacks what is left for sale nobody pretends to know it; a person may go on without the look."""
    seed = {**selling(5), "preferences": {"itemdetails_show_for_sale": False}}
    async with a_house(temporal_client, tmp_path, seed=seed, policy=HOLD) as house:
        paid = await house.pay(guest=BUYER, lines=ONE)
        trouble = await house.parked(paid["payment_intent"])
        assert (trouble.attention_class, trouble.step) == ("zoho_refused", "stock")
        await house.answer(paid["payment_intent"], "skip", reason="plenty")
        await house.done(paid["payment_intent"])


@pytest.mark.parametrize("fault", ["lost", "server_error"])
async def test_lost_confirmation_counts_once(temporal_client: Client, tmp_path: Path, fault: str) -> None:
    """The answer to the confirmation is lost: the piece is sold once, and the next buyer is held."""
    async with a_house(temporal_client, tmp_path, seed=selling(1), policy=HOLD) as house:
        await house.fault("zoho", method="POST", path="/status/confirmed$", fault=fault)
        first = await house.pay(guest=BUYER, lines=ONE)
        await house.done(first["payment_intent"])
        second = await house.pay(customer=CUSTOMER, lines=ONE)
        assert (await house.parked(second["payment_intent"])).attention_class == "oversold"
        assert await stock(house) == (1, 0)


async def test_confirmed_order_is_not_held_by_its_own_goods_after_a_lost_store(
    temporal_client: Client, tmp_path: Path
) -> None:
    """Our memory is gone and the order has the last piece: it is found, and nothing is written twice."""
    async with a_house(temporal_client, tmp_path, seed=selling(1), policy=HOLD) as house:
        await house.fault("zoho", method="POST", path="/customerpayments$", fault="refuse", code=4711)
        paid = await house.pay(guest=BUYER, lines=ONE)
        await house.parked(paid["payment_intent"])
        url = f"sqlite+aiosqlite:///{tmp_path}/{house.slug}.db"
        for table in ("effects", "audit", "reservations", "reservation_clocks"):
            await run_sql(url, f"DELETE FROM {table}")
        await house.answer(paid["payment_intent"], "retry")
        assert (await house.done(paid["payment_intent"]))["stage"] == "paid"
        ledger = await house.zoho()
        assert [len(ledger[kind]) for kind in ("salesorders", "invoices", "payments")] == [1, 1, 1]
