"""What docs/connecting.md asks a shop for is enough, and what docs/operating.md tells people to do helps."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from temporalio.client import Client

from tests.endtoend.test_changes import changed, stripe_says
from tests.house import BUYER, ITEMS, ORGANIZATION, SEED, House, a_house

MUGS = [{"sku": "MUG", "unit_amount": 1500, "quantity": 2, "tax_percent": 19}]
MOVED = {**BUYER, "address": {"line1": "Neue Str. 2", "city": "Hamburg", "postal_code": "20095", "country": "DE"}}
CONNECTING = (Path(__file__).parent.parent.parent / "docs/connecting.md").read_text(encoding="utf-8")


def told(pattern: str) -> list[str]:
    """What the page lists, in the line or lines that match."""
    return sorted(
        {word for line in re.findall(pattern, CONNECTING, re.MULTILINE) for word in re.findall(r"[\w.]+", line)}
    )


async def test_documented_scopes_and_events_are_enough(temporal_client: Client, tmp_path: Path) -> None:
    """New payer, new address, Stripe invoice, lost answers, a voided order and changes need no right beyond these."""
    scopes, events = told(r"^ZohoInventory\..*$"), told(r"^`payment_intent\.succeeded`.*$")
    assert (len(scopes), len(events)) == (28, 22)
    async with a_house(temporal_client, tmp_path, seed={"scopes": scopes}, events=events) as house:
        for path in ("/salesorders$", "/invoices$", "/customerpayments$", "/contacts$", "/address$"):
            await house.fault("zoho", method="POST", path=path, fault="lost")
        for wish in ({"guest": BUYER}, {"guest": MOVED}, {"customer": {"id": "cus_1", **BUYER}, "via": "invoice"}):
            paid = await house.pay(lines=MUGS, **wish)
            assert (await house.done(paid["payment_intent"]))["stage"] == "paid"
        await house.post(f"{house.stripe_url}/_charges/{paid['charge']}/balance", {})
        await stripe_says(
            house, f"charges/{paid['charge']}", {"shipping[name]": "A", "shipping[address][city]": "Kiel"}
        )
        await stripe_says(house, "customers/cus_1", {"email": "lovelace@example.com"})
        done = await changed(house, 3)
        assert sorted(what for one in done for what in one["corrected"]) == ["address", "fee", "person"]
        await house.post(f"{house.zoho_url}/_switches", {"whole_unit_rounding": True})
        paid = await house.pay(guest=BUYER, lines=[{**MUGS[0], "unit_amount": 1533}])
        assert (await house.parked(paid["payment_intent"])).attention_class == "totals_differ"
        ledger = await house.zoho()
    assert [order["status"] for order in ledger["salesorders"]].count("void") == 1
    assert len(ledger["invoices"]) == len(ledger["payments"]) == 3


async def test_parked_payment_goes_on_after_the_cure(house: House) -> None:
    """Make the missing item, answer retry: the same run ends paid."""
    lamp: dict[str, Any] = {"sku": "LAMP", "name": "Lamp", "rate": 49, "stock": 3}
    paid = await house.pay(guest=BUYER, lines=[{"sku": "LAMP", "unit_amount": 4900, "quantity": 1}])
    assert (await house.parked(paid["payment_intent"])).attention_class == "unknown_sku"
    organization = {"organization_id": ORGANIZATION, **SEED, "items": [*ITEMS, lamp]}
    await house.post(f"{house.zoho_url}/_seed", {"organizations": [organization]})
    await house.answer(paid["payment_intent"], "retry")
    assert (await house.done(paid["payment_intent"]))["stage"] == "paid"
