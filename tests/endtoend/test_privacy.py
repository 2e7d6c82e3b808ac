"""People's data and secrets stay where they belong, and the house runs with its payloads encrypted."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from cli.temporal_server import TemporalServer
from clients.keys import KeyRing
from clients.telemetry import configure_logging
from clients.temporal import connect
from tests.house import House, a_house

CANARIES = {
    "name": "Xanthippe Quetzalcoatl",
    "email": "canary-7f3a@example.com",
    "phone": "+49 170 5550199",
    "line1": "Kanariengasse 77b",
}
SECRETS = ("sk_test_1", "whsec_", "Zoho-oauthtoken", "4242424242424242")
GUEST = {
    **{key: CANARIES[key] for key in ("name", "email", "phone")},
    "address": {"line1": CANARIES["line1"], "city": "Berlin", "postal_code": "10117", "country": "DE"},
}
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
    paid = await house.pay(guest=GUEST, lines=MUGS)
    await house.done(paid["payment_intent"])
    namesake = await house.pay(guest={**GUEST, "email": "other-" + CANARIES["email"]}, lines=MUGS)
    await house.done(namesake["payment_intent"])
    refused = await house.pay(guest=GUEST, lines=[{"sku": "NOPE", "unit_amount": 100, "quantity": 1}])
    await house.parked(refused["payment_intent"])
    return "\n".join([await raw_history(house.run_of(one["payment_intent"])) for one in (paid, namesake, refused)])


@pytest.fixture
def our_log() -> Iterator[StringIO]:
    """What a process of ours writes at its most talkative, in place of pytest's own handlers."""
    root, stream = logging.getLogger(), StringIO()
    handlers, level = root.handlers[:], root.level
    root.handlers = []  # so that configure_logging, which closes what it replaces, finds none of pytest's
    configure_logging("DEBUG", stream)
    yield stream
    root.handlers = handlers
    root.setLevel(level)


async def test_no_person_and_no_secret_in_history_store_or_log(
    temporal_client: Client, tmp_path: Path, our_log: StringIO
) -> None:
    """Temporal carries ids, money and SKUs; the store's people are encrypted; the log names nobody."""
    async with a_house(temporal_client, tmp_path) as house:
        history = await sell(house)
    store = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    for word in (*CANARIES.values(), *SECRETS):
        assert word not in history, word
        assert word.encode() not in store, word
    assert "30.00" in history or '"minor":3000' in history
    said = our_log.getvalue()
    assert "failed" in said or "DEBUG" in said
    for word in (*CANARIES.values(), *SECRETS):
        assert word not in said, word


async def test_no_person_in_the_list_of_runs(temporal_client: Client, tmp_path: Path) -> None:
    """Search attributes, summaries and details are shown to every operator, and to none about whom they are."""
    async with a_house(temporal_client, tmp_path) as house:
        paid = await house.pay(guest=GUEST, lines=MUGS)
        await house.done(paid["payment_intent"])
        shown = await house.run_of(paid["payment_intent"]).describe()
        listed = str(shown.typed_search_attributes) + str(await shown.static_summary())
    assert paid["payment_intent"] in listed
    assert "30.00 EUR" in listed
    assert not [word for word in CANARIES.values() if word in listed]


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
