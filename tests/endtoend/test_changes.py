"""What happens to a payment after it was paid: its fee, its address, its payer, its metadata, its amount."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecution, WorkflowFailureError

from domain.mapping_policy import MappingPolicy, PartialCapture
from domain.policy import ForeignFee
from domain.runs import Stage
from tests.endtoend.test_first_order import MUGS
from tests.house import BUYER, MAPPING, QUICK, SEED, House, a_house
from workflows import contract

KEY = {"Authorization": "Bearer sk_test_1"}
PATIENT = QUICK.model_copy(update={"fee_patience": timedelta(seconds=60)})
GRACE = {"id": "cus_g", "name": "Grace Hopper", "email": "grace@example.com", "address": BUYER["address"]}
HARBOUR = {"line1": "Hafen 3", "city": "Kiel", "postal_code": "24103", "country": "DE"}
FIELDS = [*SEED["custom_fields"], {"api_name": "cf_cart", "label": "Cart"}, {"api_name": "cf_batch", "label": "Batch"}]
BACK = {"zoho_invoice_id": "invoice_id", "cart_no": "cf_cart"}
MAPPED = MAPPING.model_copy(update={"metadata_fields": {"cart": "cf_cart"}, "write_back": BACK})


async def calls(house: House) -> int:
    """How often Zoho was asked."""
    return int(sum((await house.zoho())["calls"]["counts"].values()))


async def stripe_says(house: House, path: str, form: dict[str, str]) -> dict[str, Any]:
    """A request to Stripe's own API, as the shop or another program makes it."""
    answer = await house.http.post(f"{house.stripe_url}/v1/{path}", data=form, headers=KEY)
    answer.raise_for_status()
    return dict(answer.json())


async def until(holds: Callable[[], Any], *, within: float = 30) -> Any:
    """What `holds` answers, once it is true."""
    async with asyncio.timeout(within):
        while not (found := await holds()):
            await asyncio.sleep(0.05)
    return found


async def tell_fee(house: House, paid: dict[str, Any]) -> None:
    """Stripe tells the payment's fee once the payment is recorded in Zoho, and not before."""
    await house.reached(paid["payment_intent"], Stage.PAID)
    await house.post(f"{house.stripe_url}/_charges/{paid['charge']}/balance", {})


async def changes_of(house: House) -> list[WorkflowExecution]:
    """The runs of changes in this shop."""
    query = f"WorkflowType = '{contract.CHANGE_WORKFLOW}' AND {contract.CONNECTION.name} = '{house.slug}'"
    return [run async for run in house.client.list_workflows(query)]


async def changed(house: House, number: int = 1) -> list[Any]:
    """What the runs of changes came to, once there are so many."""

    async def enough() -> list[WorkflowExecution]:
        found = await changes_of(house)
        return found if len(found) >= number else []

    runs = sorted(await until(enough), key=lambda run: run.start_time)
    return [await house.client.get_workflow_handle(run.id).result() for run in runs]


async def test_late_fee_is_one_call_more(temporal_client: Client, tmp_path: Path) -> None:
    """Five calls until paid, the sixth when Stripe tells the fee: 2.9 % and 30 cents of 30.00."""
    async with a_house(temporal_client, tmp_path, policy=PATIENT) as house:
        spent = []
        for _ in range(2):
            before = await calls(house)
            paid = await house.pay(customer=GRACE, lines=MUGS)
            await tell_fee(house, paid)
            await house.done(paid["payment_intent"])
            spent.append(await calls(house) - before)
        payments, stripe = (await house.zoho())["payments"], await house.stripe()
    assert spent == [11, 6]
    fees = {row["source"]: row["fee"] for row in stripe["balance_transactions"]}
    assert {row["bank_charges"] for row in payments} == {Decimal("1.17")}
    assert set(fees.values()) == {117}


async def test_fee_that_is_known_at_once_costs_no_call(temporal_client: Client, tmp_path: Path) -> None:
    """With `capture_method` automatic the balance transaction is there when the payment is."""
    async with a_house(temporal_client, tmp_path, policy=PATIENT) as house:
        spent = []
        for _ in range(2):
            before = await calls(house)
            paid = await house.pay(customer=GRACE, lines=MUGS, capture="automatic")
            await house.done(paid["payment_intent"])
            spent.append(await calls(house) - before)
        payments = (await house.zoho())["payments"]
    assert spent == [10, 5]
    assert {row["bank_charges"] for row in payments} == {Decimal("1.17")}


async def test_fee_of_days_later_has_a_run_of_its_own(house: House) -> None:
    """The payment's run has closed without the fee; the event books it with a look and a write."""
    paid = await house.pay(customer=GRACE, lines=MUGS)
    await house.done(paid["payment_intent"])
    before = await calls(house)
    await house.post(f"{house.stripe_url}/_charges/{paid['charge']}/balance", {})
    (result,) = await changed(house)
    assert (result["corrected"], await calls(house) - before) == (["fee"], 2)
    (payment,) = (await house.zoho())["payments"]
    assert payment["bank_charges"] == Decimal("1.17")
    assert (await house.store.audit.verify(house.slug)).ok
    steps = [entry.step for entry in await house.store.audit.entries(house.slug)]
    assert [step.partition("@")[0] for step in steps].count("fee") == 1


@pytest.mark.parametrize(("foreign", "charges"), [(ForeignFee.LEAVE, 0), (ForeignFee.CONVERT, Decimal("1.32"))])
async def test_fee_of_another_currency(
    temporal_client: Client, tmp_path: Path, foreign: ForeignFee, charges: Decimal
) -> None:
    """34.00 USD settle as 30.91 EUR less 1.20 EUR: 1.32 USD by Stripe's own rate, or the payout's matter."""
    policy = PATIENT.model_copy(update={"foreign_fee": foreign})
    async with a_house(temporal_client, tmp_path, policy=policy) as house:
        lines = [{"sku": "MUG", "unit_amount": 1700, "quantity": 2}]
        paid = await house.pay(guest=BUYER, currency="usd", lines=lines)
        await tell_fee(house, paid)
        await house.done(paid["payment_intent"])
        (payment,) = (await house.zoho())["payments"]
    assert payment["bank_charges"] == charges


@pytest.mark.parametrize("fault", ["lost", "refuse"])
async def test_fee_whose_answer_is_lost_or_refused_once(temporal_client: Client, tmp_path: Path, fault: str) -> None:
    """Written once however the call ends; a refusal waits for a person, and his retry writes it."""
    async with a_house(temporal_client, tmp_path, policy=PATIENT) as house:
        await house.fault("zoho", method="PUT", path="/customerpayments/", fault=fault, code=4711)
        paid = await house.pay(guest=BUYER, lines=MUGS)
        await tell_fee(house, paid)
        if fault == "refuse":
            assert (await house.parked(paid["payment_intent"])).step == "fee"
            await house.answer(paid["payment_intent"], "retry")
        await house.done(paid["payment_intent"])
        ledger = await house.zoho()
    assert [row["bank_charges"] for row in ledger["payments"]] == [Decimal("1.17")]
    assert ledger["calls"]["counts"]["PUT /customerpayments/{payment_id}"] == (2 if fault == "refuse" else 1)


async def test_address_of_a_charge_goes_onto_the_order(house: House) -> None:
    """The shop corrects the address in Stripe: the contact gets it besides the old one, the order instead."""
    paid = await house.pay(guest=BUYER, lines=MUGS, shipping_details={"name": "Ada", "address": BUYER["address"]})
    await house.done(paid["payment_intent"])
    form = {f"shipping[address][{part}]": value for part, value in HARBOUR.items()} | {"shipping[name]": "Byron"}
    await stripe_says(house, f"charges/{paid['charge']}", form)
    (result,) = await changed(house)
    assert result["corrected"] == ["address"]
    ledger = await house.zoho()
    (order,), (invoice,), (contact,) = ledger["salesorders"], ledger["invoices"], ledger["contacts"]
    assert (order["shipping_address"]["city"], order["shipping_address"]["attention"]) == ("Kiel", "Byron")
    assert order["billing_address"]["city"] == "Berlin"
    assert (order["total"], order["order_status"]) == (30, "confirmed")
    assert invoice["shipping_address"]["city"] == "Berlin"
    assert contact["addresses"][0]["city"] == "Kiel"
    before = await calls(house)
    await stripe_says(house, f"charges/{paid['charge']}", {"description": "nothing of ours"})
    assert (await changed(house, 2))[1]["corrected"] == []
    assert await calls(house) == before


async def test_order_that_zoho_changes_no_more_waits_for_a_person(house: House) -> None:
    """Where an invoiced order is fixed, the change parks with Zoho's words; skipped, it ends."""
    await house.post(f"{house.zoho_url}/_switches", {"invoiced_order_editable": False})
    paid = await house.pay(guest=BUYER, lines=MUGS, shipping_details={"name": "Ada", "address": BUYER["address"]})
    await house.done(paid["payment_intent"])
    form = {f"shipping[address][{part}]": value for part, value in HARBOUR.items()}
    await stripe_says(house, f"charges/{paid['charge']}", form)
    (run,) = await until(lambda: changes_of(house))
    handle = house.client.get_workflow_handle(run.id)

    async def trouble() -> Any:
        return await handle.query(contract.TROUBLE)

    assert (await until(trouble))["attention_class"] == "zoho_refused"
    await handle.execute_update(contract.RESOLVE, {"action": "skip", "by": "ada", "reason": "parcel redirected"})
    assert (await handle.result())["corrected"] == []


@pytest.mark.parametrize("fault", ["lost", "malformed", "drop"])
async def test_corrections_whose_answers_are_lost_are_made_once(house: House, fault: str) -> None:
    """Address, order and person: each write is looked for before it is repeated."""
    paid = await house.pay(customer=GRACE, lines=MUGS, shipping_details={"name": "G", "address": BUYER["address"]})
    await house.done(paid["payment_intent"])
    for method, path in (("POST", "/address$"), ("PUT", "/salesorders/"), ("PUT", "/contactpersons/")):
        await house.fault("zoho", method=method, path=path, fault=fault)
    form = {f"shipping[address][{part}]": value for part, value in HARBOUR.items()}
    await stripe_says(house, f"charges/{paid['charge']}", form)
    await changed(house)
    await stripe_says(house, "customers/cus_g", {"email": "hopper@example.com"})
    results = await changed(house, 2)
    assert [result["corrected"] for result in results] == [["address"], ["person"]]
    (contact,) = (await house.zoho())["contacts"]
    assert [address["city"] for address in contact["addresses"]] == ["Kiel"]
    assert [person["email"] for person in contact["contact_persons"]] == ["hopper@example.com"]
    assert (await house.store.audit.verify(house.slug)).ok


async def test_customer_who_changes_his_address_stays_one_contact(house: House) -> None:
    """The e-mail changes at the contact's person, and the next payment finds the same contact."""
    first = await house.pay(customer=GRACE, lines=MUGS)
    await house.done(first["payment_intent"])
    await stripe_says(house, "customers/cus_g", {"email": "hopper@example.com", "name": "Grace B. Hopper"})
    (result,) = await changed(house)
    assert result["corrected"] == ["person"]
    renamed = {**GRACE, "email": "hopper@example.com", "name": "Grace B. Hopper"}
    second = await house.pay(customer=renamed, lines=MUGS)
    await house.done(second["payment_intent"])
    (contact,) = (await house.zoho())["contacts"]
    (person,) = contact["contact_persons"]
    assert (person["email"], person["last_name"]) == ("hopper@example.com", "B. Hopper")


async def test_customer_of_two_currencies_has_two_contacts_and_both_are_corrected(house: House) -> None:
    """A contact's currency is fixed: two contacts, once each, however often he pays; one event corrects both."""
    for currency in ("eur", "usd", "eur", "usd"):
        paid = await house.pay(customer=GRACE, currency=currency, lines=MUGS)
        await house.done(paid["payment_intent"])
    contacts = (await house.zoho())["contacts"]
    assert sorted(contact["currency_code"] for contact in contacts) == ["EUR", "USD"]
    await stripe_says(house, "customers/cus_g", {"email": "hopper@example.com"})
    assert [result["corrected"] for result in await changed(house, 2)] == [["person"], ["person"]]
    contacts = (await house.zoho())["contacts"]
    assert {contact["contact_persons"][0]["email"] for contact in contacts} == {"hopper@example.com"}


async def test_metadata_and_custom_fields_both_ways_without_a_loop(temporal_client: Client, tmp_path: Path) -> None:
    """The cart goes to Zoho, ids come back, a later cart is carried over, and our own writes start nothing."""
    seed = {"custom_fields": FIELDS}
    async with a_house(temporal_client, tmp_path, seed=seed, mapping=MAPPED) as house:
        paid = await house.pay(guest=BUYER, lines=MUGS, via="charge_only", metadata={"cart": "77"})
        result = await house.done(paid["charge"])
        (order,) = (await house.zoho())["salesorders"]
        (charge,) = (await house.stripe())["charges"]
        assert order["custom_field_hash"]["cf_cart"] == "77"
        assert charge["metadata"]["zoho_salesorder_id"] == result["salesorder_id"]
        assert (charge["metadata"]["zoho_invoice_id"], charge["metadata"]["cart_no"]) == (result["invoice_id"], "77")
        await settled(house)
        assert await changes_of(house) == []
        await stripe_says(house, f"charges/{paid['charge']}", {"metadata[cart]": "78"})
        assert [one["corrected"] for one in await changed(house)] == [["fields"]]
        (order,) = (await house.zoho())["salesorders"]
        assert order["custom_field_hash"]["cf_cart"] == "78"
        metrics = (await house.http.get(f"{house.ingress_url}/metrics")).text
        assert 'outcome="ignored-own",type="charge.updated"' in metrics


async def settled(house: House) -> None:
    """Until Stripe has told everything."""

    async def told() -> bool:
        rows = (await house.http.get(f"{house.stripe_url}/_deliveries")).json()["deliveries"]
        return all(row["state"] == "delivered" for row in rows)

    await until(told)


async def authorised(house: House, **wish: Any) -> str:
    """A payment whose money is authorised only, its run waiting for the capture."""
    paid = await house.pay(guest=BUYER, capture="manual", **wish)
    await house.reached(paid["payment_intent"], "waiting-for-money")
    return str(paid["payment_intent"])


TWO = [{"sku": "MUG", "unit_amount": 1500, "quantity": 2}, {"sku": "TEA", "unit_amount": 999, "quantity": 1}]


async def test_partial_capture_is_held_until_the_quantities_are_amended(house: House) -> None:
    """One mug of two, and no tea: 15.00 were captured, and that is what is sold."""
    payment_id = await authorised(house, lines=TWO)
    await stripe_says(house, f"payment_intents/{payment_id}/capture", {"amount_to_capture": "1500"})
    trouble = await house.parked(payment_id)
    assert (trouble.attention_class, str(trouble.at_risk)) == ("captured_in_part", "15.00 EUR")
    amendments = [{"line": "1", "field": "quantity", "value": "1"}, {"line": "2", "field": "quantity", "value": "0"}]
    await house.answer(payment_id, "amend", amendments=amendments)
    await house.done(payment_id)
    (order,) = (await house.zoho())["salesorders"]
    assert [(line["sku"], line["quantity"]) for line in order["line_items"]] == [("MUG", 1)]
    assert (order["total"], order["adjustment"]) == (15, 0)


async def test_partial_capture_may_be_an_adjustment(temporal_client: Client, tmp_path: Path) -> None:
    """By policy the lines stay and the difference is said on the order, and on its invoice."""
    mapping: MappingPolicy = MAPPING.model_copy(update={"partial_capture": PartialCapture.ADJUST})
    async with a_house(temporal_client, tmp_path, mapping=mapping) as house:
        payment_id = await authorised(house, lines=TWO)
        await stripe_says(house, f"payment_intents/{payment_id}/capture", {"amount_to_capture": "1500"})
        await house.done(payment_id)
        ledger = await house.zoho()
    for document in (ledger["salesorders"][0], ledger["invoices"][0]):
        assert (document["total"], document["adjustment"]) == (15, Decimal("-24.99"))
        assert document["adjustment_description"] == "24.99 EUR not captured"


async def test_cancelled_authorisation_closes_the_run_at_once(house: House) -> None:
    """`payment_intent.canceled` wakes the run, which would have waited for days, and nothing is written."""
    payment_id = await authorised(house, lines=MUGS)
    await stripe_says(house, f"payment_intents/{payment_id}/cancel", {})
    with pytest.raises(WorkflowFailureError) as raised:
        await house.done(payment_id, within=10)
    assert getattr(raised.value.cause, "type", "") == "PaymentCanceled"
    assert (await house.zoho())["salesorders"] == []


async def test_cancelled_intent_that_nobody_waits_for_starts_nothing(house: House) -> None:
    """An abandoned checkout is no payment."""
    intent = await stripe_says(house, "payment_intents", {"amount": "500", "currency": "eur"})
    await stripe_says(house, f"payment_intents/{intent['id']}/cancel", {})
    await settled(house)
    query = f"{contract.CONNECTION.name} = '{house.slug}'"
    assert [run async for run in house.client.list_workflows(query)] == []


async def test_change_heard_by_the_open_run_is_carried_over_when_it_closes(
    temporal_client: Client, tmp_path: Path
) -> None:
    """While the run waits for its fee the address changes: nothing is lost, and nobody writes beside it."""
    async with a_house(temporal_client, tmp_path, policy=PATIENT) as house:
        shipped = {"name": "Ada", "address": BUYER["address"]}
        paid = await house.pay(guest=BUYER, lines=MUGS, shipping_details=shipped)
        await house.reached(paid["payment_intent"], "paid")
        form = {f"shipping[address][{part}]": value for part, value in HARBOUR.items()}
        await stripe_says(house, f"charges/{paid['charge']}", form)
        await settled(house)
        assert await changes_of(house) == []
        await house.post(f"{house.stripe_url}/_charges/{paid['charge']}/balance", {})
        await house.done(paid["payment_intent"])
        (result,) = await changed(house)
        (order,) = (await house.zoho())["salesorders"]
    assert result["corrected"] == ["address"]
    assert order["shipping_address"]["city"] == "Kiel"


async def test_changes_at_the_same_moment_take_turns(house: House) -> None:
    """Five changes at once: one writes at a time, and the last truth stands."""
    paid = await house.pay(guest=BUYER, lines=MUGS, shipping_details={"name": "Ada", "address": BUYER["address"]})
    await house.done(paid["payment_intent"])
    for number in range(5):
        form = {f"shipping[address][{part}]": value for part, value in (HARBOUR | {"line1": f"Hafen {number}"}).items()}
        await stripe_says(house, f"charges/{paid['charge']}", form)
    await changed(house, 5)
    ledger = await house.zoho()
    assert ledger["salesorders"][0]["shipping_address"]["address"] == "Hafen 4"
    added = [address["address"] for address in ledger["contacts"][0]["addresses"]]
    assert len(added) == len(set(added))
    assert (await house.store.audit.verify(house.slug)).ok


async def test_payment_that_zoho_hides_is_found_by_its_reference(temporal_client: Client, tmp_path: Path) -> None:
    """The receipt's answer was lost and the invoice does not list it: the fee looks for it in the list."""
    async with a_house(temporal_client, tmp_path, policy=PATIENT) as house:
        await house.post(f"{house.zoho_url}/_switches", {"invoice_shows_payments": False})
        await house.fault("zoho", method="POST", path="/customerpayments$", fault="lost")
        paid = await house.pay(guest=BUYER, lines=MUGS)
        await tell_fee(house, paid)
        await house.done(paid["payment_intent"])
        payments = (await house.zoho())["payments"]
    assert [row["bank_charges"] for row in payments] == [Decimal("1.17")]


async def test_abort_takes_the_fee_back_with_its_payment(temporal_client: Client, tmp_path: Path) -> None:
    """The fee stands on the recorded payment: deleted, both are gone."""
    async with a_house(temporal_client, tmp_path, policy=PATIENT) as house:
        await house.fault("zoho", method="PUT", path="/customerpayments/", fault="refuse", code=4711)
        paid = await house.pay(guest=BUYER, lines=MUGS)
        await tell_fee(house, paid)
        assert (await house.parked(paid["payment_intent"])).step == "fee"
        await house.answer(paid["payment_intent"], "abort", reason="wrong shop")
        await house.failed(paid["payment_intent"])
        ledger = await house.zoho()
    assert ledger["payments"] == []
    assert {row["status"] for kind in ("salesorders", "invoices") for row in ledger[kind]} == {"void"}


async def test_change_of_a_payment_that_was_taken_back_corrects_nothing(house: House) -> None:
    """Aborted, its documents are void: an event that tells a change does not begin it anew."""
    await house.fault("zoho", method="POST", path="/customerpayments$", fault="refuse", code=4711)
    paid = await house.pay(guest=BUYER, lines=MUGS)
    await house.parked(paid["payment_intent"])
    await house.answer(paid["payment_intent"], "abort", reason="wrong shop")
    await house.failed(paid["payment_intent"])
    before = await calls(house)
    await house.post(f"{house.stripe_url}/_charges/{paid['charge']}/balance", {})
    (result,) = await changed(house)
    assert (result["corrected"], await calls(house) - before) == ([], 0)
