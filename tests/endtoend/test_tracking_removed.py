"""Tracking that somebody takes out in Zoho is taken out of Stripe's metadata, where it is ours; and nothing else is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from domain.policy import ShipmentKeys
from tests.endtoend.by_hand import RARELY, a_shop, asked, checked, polled, sold
from tests.endtoend.test_by_hand import carried_back, deleted, ships, voided
from tests.endtoend.test_changes import stripe_says
from tests.endtoend.test_memory_lost import forget_everything, run_again
from tests.endtoend.test_shipping import SHIPS, TRACKED, metadata
from tests.endtoend.zoho_desk import Desk
from tests.house import QUICK, House

KEYS = ShipmentKeys().named()
# What an earlier release kept of what the payment's run wrote to Stripe.
EARLIER = """UPDATE effects SET result = '{"answer": "{\\"unknown\\": false}"}' WHERE step = 'write_back'"""


async def corrects(house: House, shipment: str, **said: str) -> None:
    """Somebody says something else of the shipment, a moment later; the poll after that is dealt with."""
    await house.post(f"{house.zoho_url}/_clock", {"advance": 5})
    await Desk(house).call("PUT", f"/shipmentorders/{shipment}", said)
    await polled(house)


async def removes(house: House, *shipments: str) -> None:
    """Somebody deletes shipments; the poll after that is dealt with."""
    await house.post(f"{house.zoho_url}/_clock", {"advance": 5})
    for shipment in shipments:
        await Desk(house).call("DELETE", f"/shipmentorders/{shipment}")
    await polled(house)


async def unpacks(house: House) -> None:
    """Somebody deletes the only package."""
    (package,) = (await house.zoho(only="packages"))["packages"]
    await Desk(house).call("DELETE", f"/packages/{package['package_id']}")


async def tracking(house: House, payment_id: str, keys: Iterable[str] = KEYS) -> dict[str, str]:
    """What Stripe says of the payment's shipments."""
    said = await metadata(house, payment_id)
    return {key: said[key] for key in keys if key in said}


async def test_what_is_taken_out_in_zoho_is_taken_out_of_stripe(temporal_client: Client, tmp_path: Path) -> None:
    """Key by key, once each; what is entered again is said again, and a whole shipment takes all of its words along."""
    async with a_shop(temporal_client, tmp_path) as house:
        payment_id, order_id = await sold(house)
        shipment = await ships(house, order_id, tracking_number="A")
        await corrects(house, shipment, carrier="DHL")
        whole = {"zoho_shipment_id": shipment, "tracking_number": "A", "carrier": "DHL", "shipment_status": "shipped"}
        assert await tracking(house, payment_id) == whole
        for field, key in (("tracking_number", "tracking_number"), ("carrier", "carrier")):
            await corrects(house, shipment, **{field: ""})
            assert await tracking(house, payment_id) == {name: whole[name] for name in whole if name != key}
            await corrects(house, shipment, **{field: whole[key]})
            assert await tracking(house, payment_id) == whole
        await removes(house, shipment)
        assert await tracking(house, payment_id) == {}
        assert (await metadata(house, payment_id))["zoho_salesorder_id"] == order_id
        told = await carried_back(house)
        for _ in range(2):
            await polled(house)
        assert (told, await carried_back(house)) == (6, 6)
        assert not await checked(house, payment_id)
        assert (await house.store.audit.verify(house.slug)).ok


async def test_the_word_of_somebody_else_stays(temporal_client: Client, tmp_path: Path) -> None:
    """What another program wrote under our key, before the number was taken out in Zoho or ever since, is not ours."""
    async with a_shop(temporal_client, tmp_path) as house:
        payment_id, order_id = await sold(house)
        path = f"payment_intents/{payment_id}"
        await stripe_says(house, path, {"metadata[carrier]": "theirs"})
        shipment = await ships(house, order_id, tracking_number="A")
        await polled(house)
        await stripe_says(house, path, {"metadata[tracking_number]": "theirs"})
        await corrects(house, shipment, tracking_number="")
        await removes(house, shipment)
        assert await tracking(house, payment_id) == {"tracking_number": "theirs", "carrier": "theirs"}
        for _ in range(2):
            await polled(house)
        assert await carried_back(house) == 3


async def test_where_nothing_is_ours_nothing_is_written(temporal_client: Client, tmp_path: Path) -> None:
    """The audit trail says so, and the next polls do not ask again."""
    only = ShipmentKeys(shipment_id="", carrier="", status="")
    policy = QUICK.model_copy(update={"shipment_keys": only})
    async with a_shop(temporal_client, tmp_path, policy=policy) as house:
        payment_id, order_id = await sold(house)
        shipment = await ships(house, order_id, tracking_number="A")
        await polled(house)
        await stripe_says(house, f"payment_intents/{payment_id}", {"metadata[tracking_number]": "theirs"})
        await house.fault("stripe", method="POST", path="/v1/payment_intents/", fault="refuse", code="x")
        for _ in range(2):
            await corrects(house, shipment, tracking_number="")
        assert await tracking(house, payment_id) == {"tracking_number": "theirs"}
        entries = await house.store.audit.entries(house.slug)
        notes = [entry.note for entry in entries if entry.step.startswith("carry_back")]
        assert notes == ["written", "nothing of ours is there to be emptied"]


@pytest.mark.parametrize("fault", ["lost", "drop", "server_error"])
async def test_a_lost_answer_leaves_nothing_behind(temporal_client: Client, tmp_path: Path, fault: str) -> None:
    """Whether Stripe emptied the keys or not when its answer was lost; also where the question before it was."""
    async with a_shop(temporal_client, tmp_path) as house:
        payment_id, order_id = await sold(house)
        shipment = await ships(house, order_id, tracking_number="A")
        await polled(house)
        for method in ("GET", "POST"):
            await house.fault("stripe", method=method, path=f"/v1/payment_intents/{payment_id}$", fault=fault)
        await removes(house, shipment)
        assert await tracking(house, payment_id) == {}
        assert await carried_back(house) == 2


async def test_a_shipment_of_our_own_is_followed_too(temporal_client: Client, tmp_path: Path) -> None:
    """Its number is emptied before anything was ever carried back; deleted, a person is asked as well."""
    seed = {"preferences": TRACKED}
    async with a_shop(temporal_client, tmp_path, policy=SHIPS, seed=seed) as house:
        payment_id, _ = await sold(house)
        said = await tracking(house, payment_id)
        await corrects(house, said["zoho_shipment_id"], tracking_number="")
        assert said.pop("tracking_number")
        assert await tracking(house, payment_id) == said
        await removes(house, said["zoho_shipment_id"])
        assert await tracking(house, payment_id) == {}
        assert "shipment: there is now missing" in (await asked(house, payment_id)).message


async def test_of_several_shipments_the_others_stay(temporal_client: Client, tmp_path: Path) -> None:
    """A key is emptied with the last word for it, not with the first that goes."""
    async with a_shop(temporal_client, tmp_path) as house:
        payment_id, order_id = await sold(house)
        desk, parcels = Desk(house), []
        (line,) = (await desk.call("GET", f"/salesorders/{order_id}"))["salesorder"]["line_items"]
        for number in ("A", "B"):
            rows = [{"so_line_item_id": line["line_item_id"], "quantity": 1}]
            body = {"date": "2026-11-26", "line_items": rows}
            packed = await desk.call("POST", "/packages", body, salesorder_id=order_id)
            query = {"salesorder_id": order_id, "package_ids": packed["package"]["package_id"]}
            sent = {"shipment_number": f"SHP-{number}", "date": "2026-11-27", "delivery_method": "DHL"}
            made = await desk.call("POST", "/shipmentorders", {**sent, "tracking_number": number}, **query)
            parcels.append(made["shipmentorder"]["shipment_id"])
        await polled(house)
        assert await tracking(house, payment_id, ["tracking_number"]) == {"tracking_number": "A, B"}
        await removes(house, parcels[0])
        left = {"zoho_shipment_id": parcels[1], "tracking_number": "B"}
        assert await tracking(house, payment_id, ["zoho_shipment_id", "tracking_number"]) == left
        await removes(house, parcels[1])
        assert await tracking(house, payment_id) == {}


@pytest.mark.parametrize("cancels", [voided, deleted])
async def test_an_order_that_counts_no_longer_ships_nothing(
    temporal_client: Client, tmp_path: Path, cancels: Any
) -> None:
    """Void or deleted after its shipment: Stripe says nothing of a shipment, and the person who is asked decides."""
    async with a_shop(temporal_client, tmp_path) as house:
        payment_id, order_id = await sold(house)
        shipment = await ships(house, order_id, tracking_number="A")
        await polled(house)
        await Desk(house).call("DELETE", f"/shipmentorders/{shipment}")
        await unpacks(house)
        await cancels(house, order_id)
        await polled(house)
        assert await tracking(house, payment_id) == {}
        assert (await asked(house, payment_id)).attention_class == "order_cancelled"


async def test_a_shop_that_wants_no_tracking_is_left_alone(temporal_client: Client, tmp_path: Path) -> None:
    """Nothing is entered, so nothing is emptied: what our own run wrote stays as it is."""
    by_hand = RARELY.model_copy(update={"tracking": False})
    seed = {"preferences": TRACKED}
    async with a_shop(temporal_client, tmp_path, by_hand=by_hand, policy=SHIPS, seed=seed) as house:
        payment_id, _ = await sold(house)
        said = await tracking(house, payment_id)
        await corrects(house, said["zoho_shipment_id"], tracking_number="")
        assert await tracking(house, payment_id) == said
        assert await carried_back(house) == 0


def changes_store(folder: Path, statement: str) -> None:
    """The store is not as this release left it."""
    for file in folder.glob("*.db"):
        with sqlite3.connect(file, timeout=10) as database:
            assert database.execute(statement).rowcount


async def test_an_order_that_was_carried_by_an_earlier_release(temporal_client: Client, tmp_path: Path) -> None:
    """No row says what was written, and nothing what was said: what was to be carried last stands in for it."""
    async with a_shop(temporal_client, tmp_path) as house:
        payment_id, order_id = await sold(house)
        shipment = await ships(house, order_id, tracking_number="A")
        await polled(house)
        changes_store(tmp_path, "DELETE FROM dossiers WHERE part = 'shipments'")
        changes_store(tmp_path, EARLIER)
        await corrects(house, shipment, tracking_number="")
        assert "tracking_number" not in await tracking(house, payment_id)
        assert (await tracking(house, payment_id))["zoho_shipment_id"] == shipment


async def test_what_is_forgotten_is_left_alone(temporal_client: Client, tmp_path: Path) -> None:
    """Whose word it is nobody knows once the store is lost, also when the payment is carried again and adopts all."""
    async with a_shop(temporal_client, tmp_path) as house:
        payment_id, order_id = await sold(house)
        shipment = await ships(house, order_id, tracking_number="A")
        await polled(house)
        forget_everything(tmp_path)
        await removes(house, shipment)
        assert (await tracking(house, payment_id))["tracking_number"] == "A"
        await run_again(house, payment_id)
        await house.post(f"{house.zoho_url}/_clock", {"advance": 60})
        await polled(house)
        assert (await tracking(house, payment_id))["tracking_number"] == "A"
        await unpacks(house)
        again = await ships(house, order_id, tracking_number="B")
        await polled(house)
        assert (await tracking(house, payment_id))["tracking_number"] == "B"
        await removes(house, again)
        assert await tracking(house, payment_id) == {}
