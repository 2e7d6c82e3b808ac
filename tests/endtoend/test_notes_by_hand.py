"""Credit notes that people change or write in Zoho: found by polls, asked about, and never doubled by a refund."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from cli.ledger_check import check
from tests.endtoend.by_hand import RARELY, a_shop, answered, asked, checked, ended, polled, sold
from tests.endtoend.test_refunds import CLEARED, CLEARING, booked, refund, run_of
from tests.endtoend.zoho_desk import Desk, answer_run, until_parked
from tests.house import House

CLOSED: dict[str, Any] = {"mapping": CLEARED, "seed": CLEARING}


async def notes(house: House) -> list[dict[str, Any]]:
    """The credit notes in Zoho."""
    return list((await house.zoho(only="creditnotes"))["creditnotes"])


async def refunded(house: House, amount: int) -> tuple[str, dict[str, Any]]:
    """A sale of which so much went back, booked a minute ago: the payment, and its credit note."""
    payment_id, _ = await sold(house)
    await booked(house, await refund(house, {"payment_intent": payment_id}, amount))
    await house.post(f"{house.zoho_url}/_clock", {"advance": 60})
    return payment_id, (await notes(house))[0]


async def unpaid(desk: Desk, note: dict[str, Any]) -> None:
    """Somebody takes the refund of the credit note back."""
    one = f"/creditnotes/{note['creditnote_id']}"
    (made,) = (await desk.call("GET", f"{one}/refunds"))["creditnote_refunds"]
    await desk.call("DELETE", f"{one}/refunds/{made['creditnote_refund_id']}")


async def voided(desk: Desk, note: dict[str, Any]) -> None:
    """Somebody takes back that the money went, and the note."""
    await unpaid(desk, note)
    await desk.call("POST", f"/creditnotes/{note['creditnote_id']}/void")


async def deleted(desk: Desk, note: dict[str, Any]) -> None:
    """The same, and the note is gone."""
    await unpaid(desk, note)
    await desk.call("DELETE", f"/creditnotes/{note['creditnote_id']}")


async def edited(desk: Desk, note: dict[str, Any]) -> None:
    """Somebody credits more."""
    line = (await desk.call("GET", f"/creditnotes/{note['creditnote_id']}"))["creditnote"]["line_items"][0]
    row = {"name": line["name"], "rate": "12.00", "quantity": 1, "line_item_id": line["line_item_id"]}
    body = {"line_items": [{**row, "tax_id": line["tax_id"]}]}
    await desk.call("PUT", f"/creditnotes/{note['creditnote_id']}", body)


@pytest.mark.parametrize(
    ("does", "said"),
    [
        (unpaid, ["refund of credit note {}: 10.00 EUR is now missing"]),
        (voided, ["credit note {}: 10.00 EUR is now void", "refund of credit note {}: 10.00 EUR is now missing"]),
        (edited, ["credit note {}: 10.00 EUR is now 12.00 EUR"]),
    ],
)
async def test_a_note_of_ours_that_somebody_changes(
    temporal_client: Client, tmp_path: Path, does: Any, said: list[str]
) -> None:
    """Its list tells it, field by field; nothing is overwritten, and skipped with a reason it stands so."""
    by_hand = RARELY.model_copy(update={"checks": 0})
    async with a_shop(temporal_client, tmp_path, by_hand=by_hand, **CLOSED) as house:
        payment_id, note = await refunded(house, 1000)
        await polled(house)
        assert not await checked(house, payment_id)
        await does(Desk(house), note)
        before = await notes(house)
        await polled(house)
        trouble = await asked(house, payment_id)
        assert trouble.attention_class == "drift"
        for one in said:
            assert one.format(note["creditnote_number"]) in trouble.message
        assert await notes(house) == before
        await answered(house, payment_id, "skip", reason="the buyer wants a voucher")
        await ended(house, payment_id)
        await polled(house)
        assert (await ended(house, payment_id))["standing"] == "stands"


async def test_an_order_that_tells_no_refunds(temporal_client: Client, tmp_path: Path) -> None:
    """What we booked is taken for there while the note is used up; open again, it is asked about."""
    seed = {**CLEARING, "preferences": {"order_tells_refunds": False}}
    async with a_shop(temporal_client, tmp_path, mapping=CLEARED, seed=seed) as house:
        payment_id, note = await refunded(house, 1000)
        await polled(house)
        assert not await checked(house, payment_id)
        await unpaid(Desk(house), note)
        await polled(house)
        assert f"refund of credit note {note['creditnote_number']}" in (await asked(house, payment_id)).message


async def test_a_note_of_ours_that_is_deleted_is_found_by_reading_back(temporal_client: Client, tmp_path: Path) -> None:
    """No list shows it; the order that is drawn does."""
    async with a_shop(temporal_client, tmp_path, **CLOSED) as house:
        payment_id, note = await refunded(house, 1000)
        await deleted(Desk(house), note)
        await polled(house)
        number = note["creditnote_number"]
        assert f"credit note {number}: 10.00 EUR is now missing" in (await asked(house, payment_id)).message


async def credits(house: House, order_id: str, price: str, reference: str = "") -> dict[str, Any]:
    """Somebody writes a credit note over one piece of the order, for `price`."""
    desk = Desk(house)
    order = (await desk.call("GET", f"/salesorders/{order_id}"))["salesorder"]
    invoice = (await desk.call("GET", f"/invoices/{order['invoices'][0]['invoice_id']}"))["invoice"]
    line = invoice["line_items"][0]
    about = {"invoice_id": invoice["invoice_id"], "invoice_item_id": line["line_item_id"], "is_item_shipped": False}
    row = {"item_id": line["item_id"], "rate": price, "quantity": 1, "tax_id": line["tax_id"], **about}
    body = {"customer_id": order["customer_id"], "date": "2026-11-27", "is_inclusive_tax": True, "line_items": [row]}
    made = await desk.call(
        "POST", "/creditnotes", {**body, "reference_number": reference}, invoice_id=invoice["invoice_id"]
    )
    return dict(made["creditnote"])


async def test_a_note_by_hand_is_seen_and_asked_about_once(temporal_client: Client, tmp_path: Path) -> None:
    """One look tells which order it is for; skipped with a reason it stands, and nobody's order costs one look."""
    by_hand = RARELY.model_copy(update={"checks": 0})
    async with a_shop(temporal_client, tmp_path, by_hand=by_hand, **CLOSED) as house:
        payment_id, order_id = await sold(house)
        await polled(house)
        note = await credits(house, order_id, "12.00")
        await polled(house)
        trouble = await asked(house, payment_id)
        assert f"credit note {note['creditnote_number']}: nothing is now 12.00 EUR" in trouble.message
        await answered(house, payment_id, "skip", reason="for a scratch")
        await ended(house, payment_id)
        counter = {"customer_id": note["customer_id"], "date": "2026-11-27"}
        line = {"name": "goodwill", "rate": "1.00", "quantity": 1}
        await Desk(house).call("POST", "/creditnotes", {**counter, "line_items": [line]})
        before = Counter((await house.zoho(only="calls"))["calls"]["counts"])
        for _ in range(2):
            await polled(house)
        spent = Counter((await house.zoho(only="calls"))["calls"]["counts"]) - before
        assert spent["GET /creditnotes/{creditnote_id}"] == 1
        assert (await ended(house, payment_id))["standing"] == "stands"


async def test_a_note_by_hand_that_does_not_say_its_order(temporal_client: Client, tmp_path: Path) -> None:
    """It is met when the order is read back."""
    seed = {**CLEARING, "preferences": {"credit_note_tells_order": False}}
    async with a_shop(temporal_client, tmp_path, mapping=CLEARED, seed=seed) as house:
        payment_id, order_id = await sold(house)
        note = await credits(house, order_id, "12.00")
        await polled(house)
        assert f"credit note {note['creditnote_number']}: nothing" in (await asked(house, payment_id)).message


async def test_a_refund_is_not_credited_besides_a_note_by_hand(temporal_client: Client, tmp_path: Path) -> None:
    """Over the same amount a person is asked; named by its reference, the note is the refund's, and is paid out."""
    async with a_shop(temporal_client, tmp_path, **CLOSED) as house:
        payment_id, order_id = await sold(house)
        note = await credits(house, order_id, "12.00")
        made = await refund(house, {"payment_intent": payment_id}, 1200)
        trouble = await until_parked(run_of(house, made))
        assert (trouble.attention_class, trouble.step) == ("credit_by_hand", "by_hand")
        assert f"{note['creditnote_number']} over 12.00 EUR" in trouble.message
        await Desk(house).call("PUT", f"/creditnotes/{note['creditnote_id']}", {"reference_number": made})
        await answer_run(run_of(house, made), "retry", "ada")
        assert (await booked(house, made))["creditnote_id"] == note["creditnote_id"]
        assert [(one["creditnote_number"], one["status"]) for one in await notes(house)] == [
            (note["creditnote_number"], "closed")
        ]
        assert check(await house.stripe(), await house.zoho()) == []


async def test_a_note_by_hand_for_something_else_does_not_hold_a_refund_up(
    temporal_client: Client, tmp_path: Path
) -> None:
    """Of another amount it is another thing; all of the money asks, and skipped the refund gets a note of its own."""
    async with a_shop(temporal_client, tmp_path, **CLOSED) as house:
        payment_id, order_id = await sold(house)
        note = await credits(house, order_id, "5.00")
        first = await refund(house, {"payment_intent": payment_id}, 1200)
        assert (await booked(house, first))["stage"] == "credited"
        rest = await refund(house, {"payment_intent": payment_id}, 3570 - 1200)
        assert note["creditnote_number"] in (await until_parked(run_of(house, rest))).message
        await answer_run(run_of(house, rest), "skip", "ada", reason="the five were for the wait")
        assert (await booked(house, rest))["stage"] == "credited"
        assert [float(one["total"]) for one in await notes(house)] == [5, 12, 23.7]
