"""People's data and secrets stay where they belong, and the house runs with its payloads encrypted."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from cli.temporal_server import TemporalServer
from clients.keys import KeyRing
from clients.telemetry import configure_logging
from clients.temporal import connect
from tests.house import House, a_house
from workflows import contract

CANARIES = {
    "name": "Xanthippe Quetzalcoatl",
    "email": "canary-7f3a@example.com",
    "phone": "+49 170 5550199",
    "line1": "Kanariengasse 77b",
}
# What a buyer typed into a note, a metadata field and an address: in one piece, in groups, with dashes.
CARDS = ("4242424242424242", "5555 5555 5555 4444", "3782-822463-10005")
SECRETS = ("sk_test_1", "whsec_", "Zoho-oauthtoken", *CARDS, *(re.sub("[ -]", "", card) for card in CARDS))
EVERYTHING = (*CANARIES.values(), *SECRETS)
GUEST = {
    **{key: CANARIES[key] for key in ("name", "email", "phone")},
    "address": {
        "line1": CANARIES["line1"],
        "line2": f"card {CARDS[2]}",
        "city": "Berlin",
        "postal_code": "10117",
        "country": "DE",
    },
}
NOTED = {"metadata": {"note": f"please charge {CARDS[0]}", "gift_for": CANARIES["name"]}, "description": CARDS[1]}
MUGS = [{"sku": "MUG", "unit_amount": 1500, "quantity": 2}]


async def raw_history(handle: WorkflowHandle[Any, Any]) -> str:
    """The history as the server keeps it, every payload's bytes made readable."""
    text = (await handle.fetch_history()).to_json()

    def read(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: _text(v) if key == "data" and isinstance(v, str) else read(v) for key, v in node.items()}
        return [read(entry) for entry in node] if isinstance(node, list) else node

    return json.dumps(read(json.loads(text)), ensure_ascii=False)


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode("utf-8", errors="replace")


async def sell(house: House) -> str:
    """A payment, a failing one, and one whose contact's name is taken: errors quote names, too."""
    paid = await house.pay(guest=GUEST, lines=MUGS, **NOTED)
    await house.done(paid["payment_intent"])
    namesake = await house.pay(guest={**GUEST, "email": "other-" + CANARIES["email"]}, lines=MUGS)
    await house.done(namesake["payment_intent"])
    refused = await house.pay(guest=GUEST, lines=[{"sku": "NOPE", "unit_amount": 100, "quantity": 1}])
    await house.parked(refused["payment_intent"])
    return "\n".join([await raw_history(house.run_of(one["payment_intent"])) for one in (paid, namesake, refused)])


@pytest.fixture
def our_log(request: pytest.FixtureRequest) -> Iterator[StringIO]:
    """What a process of ours writes at its most talkative, in place of pytest's own handlers."""
    root, stream = logging.getLogger(), StringIO()
    handlers, level = root.handlers[:], root.level
    root.handlers = []  # so that configure_logging, which closes what it replaces, finds none of pytest's
    configure_logging("DEBUG", stream, getattr(request, "param", "text"))
    yield stream
    root.handlers = handlers
    root.setLevel(level)


async def test_a_record_of_an_activity_says_whose_payment_it_is(
    temporal_client: Client, tmp_path: Path, our_log: StringIO
) -> None:
    """As JSON: run, connection, payment and activity are fields, on records of the SDK's as on ours."""
    configure_logging("DEBUG", our_log, "json")
    async with a_house(temporal_client, tmp_path) as house:
        paid = await house.pay(guest=GUEST, lines=MUGS)
        await house.done(paid["payment_intent"])
    records = [json.loads(line) for line in our_log.getvalue().splitlines()]
    (mine,) = {
        (record["workflow_id"], record["connection"], record["payment_id"])
        for record in records
        if record.get("activity") == "create_invoice"
    }
    assert mine == (house.run_of(paid["payment_intent"]).id, house.slug, paid["payment_intent"])


@pytest.mark.parametrize("our_log", ["text", "json"], indirect=True)
async def test_no_person_and_no_secret_in_history_store_or_log(
    temporal_client: Client, tmp_path: Path, our_log: StringIO
) -> None:
    """Temporal carries ids, money and SKUs; the store's people are encrypted; the log names nobody."""
    async with a_house(temporal_client, tmp_path) as house:
        history = await sell(house)
    store = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    for word in EVERYTHING:
        assert word not in history, word
        assert word.encode() not in store, word
    assert "30.00" in history or '"minor":3000' in history
    said = our_log.getvalue()
    assert "failed" in said or "DEBUG" in said
    for word in EVERYTHING:
        assert word not in said, word


async def test_no_person_in_the_list_of_runs(temporal_client: Client, tmp_path: Path) -> None:
    """Search attributes, summaries and details are shown to every operator, and to none about whom they are."""
    async with a_house(temporal_client, tmp_path) as house:
        paid = await house.pay(guest=GUEST, lines=MUGS, **NOTED)
        await house.done(paid["payment_intent"])
        parked = await house.pay(guest=GUEST, lines=[{"sku": "NOPE", "unit_amount": 100, "quantity": 1}], **NOTED)
        await house.parked(parked["payment_intent"])
        listed = "".join([await shown_of(house, one["payment_intent"]) for one in (paid, parked)])
    assert paid["payment_intent"] in listed
    assert "30.00 EUR" in listed
    assert "unknown_sku" in listed
    assert not [word for word in EVERYTHING if word in listed]


async def shown_of(house: House, payment_id: str) -> str:
    """Everything that the UI shows of a run without its history."""
    run = house.run_of(payment_id)
    shown = await run.describe()
    metadata = await run.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    parts = (
        shown.id,
        shown.task_queue,
        shown.typed_search_attributes,
        await shown.memo(),
        await shown.static_summary(),
        await shown.static_details(),
        metadata.current_details,
        await run.query(contract.PROGRESS),
    )
    return " ".join(map(str, parts))


async def test_a_card_number_reaches_nobody(temporal_client: Client, tmp_path: Path) -> None:
    """Typed into an address it stays out of Zoho, typed as an answer's reason out of the audit trail."""
    async with a_house(temporal_client, tmp_path) as house:
        paid = await house.pay(guest=GUEST, lines=MUGS, **NOTED)
        await house.done(paid["payment_intent"])
        parked = await house.pay(guest=GUEST, lines=[{"sku": "NOPE", "unit_amount": 100, "quantity": 1}])
        await house.parked(parked["payment_intent"])
        await house.answer(parked["payment_intent"], "abort", reason=f"refund to {CARDS[1]}")
        await house.failed(parked["payment_intent"])
        books = str(await house.zoho())
        trail = str(await house.store.audit.entries(house.slug))
        facts = await house.store.dossiers.get(house.slug, paid["payment_intent"], "facts")
    assert "****0005" in books
    assert "refund to ****4444" in trail
    assert facts is not None
    assert b"please charge ****4242" in facts
    for word in (*CARDS, *(re.sub("[ -]", "", card) for card in CARDS)):
        assert word not in books, word
        assert word not in trail, word
        assert word.encode() not in facts, word


async def test_a_payments_history_is_small(temporal_client: Client, tmp_path: Path) -> None:
    """Under 40 kB of payloads for a payment of many lines by a new customer, parked once and resumed."""
    lines = [
        {"sku": sku, "unit_amount": 1000 + number, "quantity": 1} for number, sku in enumerate(["MUG", "TEA"] * 15)
    ]
    async with a_house(temporal_client, tmp_path) as house:
        await house.fault("zoho", method="POST", path="/customerpayments$", fault="refuse", code=4711, times=1)
        paid = await house.pay(guest=GUEST, lines=lines)
        await house.parked(paid["payment_intent"])
        await house.answer(paid["payment_intent"], "retry")
        await house.done(paid["payment_intent"])
        ids = f"WorkflowId = '{house.run_of(paid['payment_intent']).id}'"
        runs = [run async for run in house.client.list_workflows(ids)]
        sizes = [await payload_bytes(house.client.get_workflow_handle(run.id, run_id=run.run_id)) for run in runs]
    assert len(sizes) == 2
    assert 1_000 < sum(sizes) < 40_000, sizes


async def payload_bytes(handle: WorkflowHandle[Any, Any]) -> int:
    """The size of all payloads of a history."""
    text = (await handle.fetch_history()).to_json()
    return sum(len(base64.b64decode(data)) for data in re.findall(r'"data": "([^"]*)"', text))


async def test_the_house_runs_with_encrypted_payloads(temporal_server: TemporalServer, tmp_path: Path) -> None:
    """With the codec on, neither order number nor money stands in the history, nor what a failure said."""
    client = await connect(temporal_server.address, temporal_server.namespace, keys=KeyRing.generate())
    async with a_house(client, tmp_path) as house:
        history = await sell(house)
        ledger = await house.zoho()
    assert len(ledger["salesorders"]) == 2
    assert "binary/encrypted" in history or base64.b64encode(b"binary/encrypted").decode() in history
    for word in ('"minor"', "MUG", "NOPE", "no active item", *CANARIES.values()):
        assert word not in history, word


async def test_signals_in_clear_still_arrive_under_encryption(temporal_server: TemporalServer, tmp_path: Path) -> None:
    """Temporal's own command line does not know our keys, and an operator types with it."""
    sealed = await connect(temporal_server.address, temporal_server.namespace, keys=KeyRing.generate())
    plain = await connect(temporal_server.address, temporal_server.namespace)
    async with a_house(sealed, tmp_path) as house:
        paid = await house.pay(guest=GUEST, capture="manual", lines=MUGS)
        run = house.run_of(paid["payment_intent"])
        async with asyncio.timeout(20):
            while True:
                try:
                    if (await run.query("progress"))["stage"] == "waiting-for-money":
                        break
                except RPCError:
                    await asyncio.sleep(0.05)
        url = f"{house.stripe_url}/v1/payment_intents/{paid['payment_intent']}/capture"
        await house.post(f"{house.stripe_url}/_switches", {"webhook_loss": 1.0})
        (await house.http.post(url, headers={"Authorization": "Bearer sk_test_1"})).raise_for_status()
        event = {"event_id": "evt_x", "type": "by-hand", "object_id": "pi_x", "created": "2026-11-23T00:00:00Z"}
        await plain.get_workflow_handle(run.id).signal("payment_event", event)
        assert (await house.done(paid["payment_intent"]))["stage"] == "paid"
