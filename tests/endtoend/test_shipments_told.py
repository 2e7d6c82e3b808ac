"""People hear once how an order left, and once of each change that somebody makes to that in Zoho."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr
from temporalio.client import Client

from domain.policy import PaymentPolicy
from tests.endtoend.by_hand import a_shop, polled, sold
from tests.endtoend.test_by_hand import carried_back, ships
from tests.endtoend.test_notifications import Receiver
from tests.endtoend.test_shipping import SHIPS, TRACKED, metadata
from tests.endtoend.test_tracking_removed import EARLIER, changes_store, corrects, removes, unpacks
from tests.endtoend.zoho_desk import Desk
from tests.house import BUYER, QUICK, House


@asynccontextmanager
async def a_told_shop(
    client: Client, folder: Path, policy: PaymentPolicy = QUICK, **changes: Any
) -> AsyncIterator[tuple[House, Receiver]]:
    """A shop whose lists are read when a test asks for it, and whose people are told."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/", receiver.take)
    async with TestServer(app) as server:
        address = SecretStr(f"json://127.0.0.1:{server.port}/")
        async with a_shop(client, folder, policy=policy, notify=(address,), **changes) as house:
            yield house, receiver


async def test_a_paid_order_says_how_it_left(temporal_client: Client, tmp_path: Path) -> None:
    """Shipment, carrier and tracking number are in the one message, and its first look is no news."""
    async with a_told_shop(temporal_client, tmp_path, SHIPS, seed={"preferences": TRACKED}) as (house, receiver):
        payment_id, _ = await sold(house)
        (shipment,) = (await house.zoho(only="shipments"))["shipments"]
        for _ in range(2):
            await polled(house)
    (told,) = receiver.got
    left = f"shipped as {shipment['shipment_number']} by DHL {shipment['tracking_number']}"
    assert told[0] == "Order paid"
    assert told[1].startswith(f"{payment_id} · 35.70 EUR · order SO-")
    assert told[1].endswith(f" · paid · {left}")
    assert not [word for word in (*BUYER["name"].split(), BUYER["email"], "Berlin") if word in str(receiver.got)]


async def test_what_the_organisation_ships_by_itself_is_told_once(temporal_client: Client, tmp_path: Path) -> None:
    """By the payment's run, which found it; the polls after that know."""
    seed = {"preferences": {"so_cycle_preference": "shipment", **TRACKED}}
    async with a_told_shop(temporal_client, tmp_path, seed=seed) as (house, receiver):
        await sold(house)
        for _ in range(2):
            await polled(house)
        assert await carried_back(house) == 0
    assert ["shipped as" in body for _, body in receiver.got] == [True]


def shipments(receiver: Receiver) -> list[str]:
    """What people heard of shipments, in the words behind payment and order, which are those of the paid order."""
    (paid, told), *later = receiver.got
    assert (paid, {title for title, _ in later}) == ("Order paid", {"Shipment"})
    payment_id, _, order, _ = told.split(" · ")
    assert {tuple(body.split(" · ")[:2]) for _, body in later} == {(payment_id, order)}
    return [body.split(" · ")[2] for _, body in later]


async def test_what_is_shipped_by_hand_is_told_and_each_change_of_it(temporal_client: Client, tmp_path: Path) -> None:
    """A number that comes later, and is corrected, and corrected back; not that the goods arrived."""
    async with a_told_shop(temporal_client, tmp_path) as (house, receiver):
        _, order_id = await sold(house)
        shipment = await ships(house, order_id)
        await polled(house)
        for number in ("A", "A", "B", "A"):
            await corrects(house, shipment, tracking_number=number, carrier="DHL")
        await Desk(house).call("POST", f"/shipmentorders/{shipment}/status/delivered")
        await polled(house)
        assert (await metadata(house, receiver.got[0][1].split()[0]))["shipment_status"] == "delivered"
        steps = [entry.step for entry in await house.store.audit.entries(house.slug)]
    assert shipments(receiver) == [
        "shipped as SHP-1 without a tracking number",
        "shipped as SHP-1 by DHL A",
        "shipped as SHP-1 by DHL B",
        "shipped as SHP-1 by DHL A",
    ]
    assert sum(step.startswith("notify_shipment#") for step in steps) == 4


async def test_what_is_taken_out_is_told_too(temporal_client: Client, tmp_path: Path) -> None:
    """Who heard of a number, or of a shipment, hears that it holds no longer; shipped again, they hear it again."""
    async with a_told_shop(temporal_client, tmp_path) as (house, receiver):
        _, order_id = await sold(house)
        shipment = await ships(house, order_id, tracking_number="A")
        await polled(house)
        await corrects(house, shipment, tracking_number="")
        await removes(house, shipment)
        await unpacks(house)
        await ships(house, order_id, tracking_number="A")
        for _ in range(2):
            await polled(house)
    assert shipments(receiver) == [
        "shipped as SHP-1 by A",
        "shipped as SHP-1 without a tracking number",
        "not shipped any more",
        "shipped as SHP-1 by A",
    ]


@pytest.mark.parametrize("quiet", ["paid", "shipment"])
async def test_who_wants_to_hear_nothing_of_it_does_not(temporal_client: Client, tmp_path: Path, quiet: str) -> None:
    """Whoever wants no word of paid orders wants none of their shipments; the latter can be left out alone."""
    policy = QUICK.model_copy(update={"quiet": (quiet,)})
    async with a_told_shop(temporal_client, tmp_path, policy) as (house, receiver):
        _, order_id = await sold(house)
        await ships(house, order_id, tracking_number="A")
        await polled(house)
    assert [title for title, _ in receiver.got] == ([] if quiet == "paid" else ["Order paid"])


async def test_an_order_of_an_earlier_release_is_no_news_at_its_first_look(
    temporal_client: Client, tmp_path: Path
) -> None:
    """Whether people know of its shipment is known of none of them: they are told of what changes from then on."""
    async with a_told_shop(temporal_client, tmp_path) as (house, receiver):
        _, order_id = await sold(house)
        changes_store(tmp_path, EARLIER)
        shipment = await ships(house, order_id, tracking_number="A")
        await polled(house)
        await corrects(house, shipment, tracking_number="B")
    assert [body.rpartition(" ")[2] for title, body in receiver.got if title == "Shipment"] == ["B"]
