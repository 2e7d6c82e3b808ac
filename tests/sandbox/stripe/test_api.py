"""The manners of the API: keys, parameters, idempotency, lists, expansion, limits."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
import stripe

from sandbox.stripe.api import ENDPOINTS
from sandbox.stripe.parameters import Spec
from tests.sandbox.stripe.conftest import Door
from tests.sandbox.vendor.stripe_check import REQUESTS, request_problems

#: Version 2 of the API has no parameters here.
UNLISTED = {"GET /v2/core/events/{id}"}


def _sent(spec: Spec) -> Any:
    if isinstance(spec, str):
        return "x"
    if isinstance(spec, list):
        return [_sent(spec[0])]
    return {name.removesuffix("!"): _sent(below) for name, below in spec.items()}


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: f"{endpoint.method} {endpoint.path}")
def test_every_parameter_taken_exists_at_stripe(endpoint: Any) -> None:
    """No endpoint and no parameter, nested ones too, is an invention of the sandbox."""
    name = f"{endpoint.method} {endpoint.path}"
    if name in UNLISTED:
        assert endpoint.spec == {}
        return
    assert name in REQUESTS
    sent = _sent(endpoint.spec)
    problems = request_problems(endpoint.method, endpoint.path.replace("{id}", "obj_1"), sent)
    assert [problem for problem in problems if "there is no" in problem] == []


async def test_a_request_without_a_valid_key_is_refused(door: Door) -> None:
    """No key and a key of no account are 401, and the key is not repeated in full."""
    status, shown = await door.raw("GET", "/v1/account")
    assert (status, shown["error"]["type"]) == (401, "invalid_request_error")
    key = "sk_test_0123456789abcdefghij"
    status, shown = await door.raw("GET", "/v1/account", headers={"Authorization": f"Bearer {key}"})
    assert status == 401
    assert key not in shown["error"]["message"]


async def test_a_restricted_key_may_do_what_it_was_given(door: Door) -> None:
    """Reading is not writing, writing is reading too, and what is not named is 403; its own account it always sees."""
    rights = {"payment_intents": "write", "charges": "read", "checkout/sessions": "read"}
    account = {"id": "acct_two", "key": "sk_test_two", "restricted": {"rk_test_two": rights}}
    await door.post("/_seed", {"accounts": [account]})
    paid = await door.pay(account="acct_two")
    intent, charge = f"/v1/payment_intents/{paid['payment_intent']}", f"/v1/charges/{paid['charge']}"
    asked = [
        ("GET", "/v1/account", 200), ("GET", intent, 200), ("POST", intent, 200), ("GET", charge, 200),
        ("POST", charge, 403), ("GET", "/v1/checkout/sessions", 200), ("GET", "/v1/invoices", 403),
        ("POST", "/v1/charges/ch_nobody", 403), ("POST", "/v1/payment_intents/pi_nobody", 404),
    ]  # fmt: skip
    for method, path, wanted in asked:
        status, _ = await door.raw(method, path, headers={"Authorization": "Bearer rk_test_two"})
        assert (method, path, status) == (method, path, wanted)
    await door.switch(rights_before_lookup=False)
    for path, wanted in (("/v1/charges/ch_nobody", 404), (charge, 403)):
        status, _ = await door.raw("POST", path, headers={"Authorization": "Bearer rk_test_two"})
        assert status == wanted


async def test_accounts_do_not_see_each_other(door: Door, client: stripe.StripeClient) -> None:
    """An object of one account is missing for the key of another, and each knows its own settings."""
    second = {"id": "acct_two", "key": "sk_test_two", "country": "DE", "default_currency": "eur"}
    await door.post("/_seed", {"accounts": [second]})
    paid = await door.pay(account="acct_two")
    with pytest.raises(stripe.InvalidRequestError) as missing:
        await client.v1.payment_intents.retrieve_async(paid["payment_intent"])
    assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")
    headers = {"Authorization": "Bearer sk_test_two"}
    _, account = await door.raw("GET", "/v1/account", headers=headers)
    assert (account["id"], account["country"], account["default_currency"]) == ("acct_two", "DE", "eur")
    assert (await client.v1.accounts.retrieve_current_async()).id == "acct_1Sandbox"


async def test_a_parameter_that_does_not_exist_is_refused(client: stripe.StripeClient) -> None:
    """Unknown, missing and ill-typed parameters are named in the refusal."""
    cases: list[tuple[dict[str, Any], str, str]] = [
        ({"amount": 1000, "currency": "usd", "colour": "red"}, "parameter_unknown", "colour"),
        ({"amount": 1000, "currency": "usd", "shipping": {"street": "x"}}, "parameter_unknown", "shipping[street]"),
        ({"currency": "usd"}, "parameter_missing", "amount"),
        ({"amount": "ten", "currency": "usd"}, "parameter_invalid_integer", "amount"),
    ]
    for params, code, named in cases:
        asked: Any = params
        with pytest.raises(stripe.InvalidRequestError) as refused:
            await client.v1.payment_intents.create_async(asked)
        assert (refused.value.code, refused.value.param) == (code, named)


async def test_a_repeated_idempotency_key_gives_the_first_answer(door: Door, client: stripe.StripeClient) -> None:
    """The second request makes nothing and says that it is a replay."""
    params: Any = {"amount": 1000, "currency": "usd", "confirm": True, "payment_method": "pm_card_visa"}
    first = await client.v1.payment_intents.create_async(params, {"idempotency_key": "once"})
    second = await client.v1.payment_intents.create_async(params, {"idempotency_key": "once"})
    assert first.id == second.id
    assert second.last_response is not None
    assert second.last_response.headers["idempotent-replayed"] == "true"
    ledger = await door.get("/_ledger")
    assert (len(ledger["payment_intents"]), len(ledger["charges"])) == (1, 1)
    request = next(row["request"] for row in ledger["events"] if row["type"] == "payment_intent.created")
    assert request["idempotency_key"] == "once"


async def test_an_idempotency_key_with_other_parameters_is_refused(client: stripe.StripeClient) -> None:
    """Other parameters, or another endpoint, under the same key are an idempotency_error."""
    await client.v1.customers.create_async({"email": "a@example.com"}, {"idempotency_key": "k"})
    with pytest.raises(stripe.IdempotencyError):
        await client.v1.customers.create_async({"email": "b@example.com"}, {"idempotency_key": "k"})
    with pytest.raises(stripe.IdempotencyError):
        await client.v1.products.create_async({"name": "Tea"}, {"idempotency_key": "k"})


async def test_an_idempotency_key_is_forgotten_after_a_day(door: Door, client: stripe.StripeClient) -> None:
    """After 24 hours the same key writes again."""
    params: Any = {"email": "a@example.com"}
    first = await client.v1.customers.create_async(params, {"idempotency_key": "k"})
    await door.post("/_clock", {"advance": 24 * 3600 + 1})
    second = await client.v1.customers.create_async(params, {"idempotency_key": "k"})
    assert first.id != second.id


async def test_refused_parameters_do_not_use_up_a_key_but_a_decline_does(client: stripe.StripeClient) -> None:
    """What was refused before it ran can be corrected under the same key; what ran is answered the same again."""
    options: Any = {"idempotency_key": "k"}
    with pytest.raises(stripe.InvalidRequestError):
        await client.v1.payment_intents.create_async({"amount": 1, "currency": "usd"}, options)
    intent = await client.v1.payment_intents.create_async({"amount": 1000, "currency": "usd"}, options)
    for _ in range(2):
        with pytest.raises(stripe.CardError) as declined:
            await client.v1.payment_intents.confirm_async(
                intent.id, {"payment_method": "pm_card_chargeDeclined"}, {"idempotency_key": "c"}
            )
    assert declined.value.headers is not None
    assert declined.value.headers["idempotent-replayed"] == "true"
    charges = await client.v1.charges.list_async({"payment_intent": intent.id})
    assert len(charges.data) == 1


async def test_lists_are_paged_newest_first_without_gaps(client: stripe.StripeClient) -> None:
    """Automatic paging meets every object once, forwards and backwards."""
    made = [(await client.v1.customers.create_async({"name": str(number)})).id for number in range(25)]
    page = await client.v1.customers.list_async({"limit": 10})
    assert page.has_more
    assert [customer.id async for customer in page.auto_paging_iter()] == made[::-1]
    back = await client.v1.customers.list_async({"limit": 10, "ending_before": made[0]})
    assert [customer.id for customer in back.data] == made[10:0:-1]
    assert [customer.id async for customer in back.auto_paging_iter()] == made[1:]


async def test_a_page_that_cannot_be_is_refused(client: stripe.StripeClient) -> None:
    """A limit beyond 100 and a cursor that does not exist are refused."""
    with pytest.raises(stripe.InvalidRequestError) as beyond:
        await client.v1.customers.list_async({"limit": 101})
    assert beyond.value.param == "limit"
    with pytest.raises(stripe.InvalidRequestError) as missing:
        await client.v1.customers.list_async({"starting_after": "cus_none"})
    assert missing.value.code == "resource_missing"


async def test_events_are_found_by_type_and_time(door: Door, client: stripe.StripeClient) -> None:
    """`types` and `created` filter; events older than 30 days are gone."""
    await door.pay()
    found = await client.v1.events.list_async({"types": ["payment_intent.succeeded", "charge.succeeded"]})
    assert {event.type for event in found.data} == {"payment_intent.succeeded", "charge.succeeded"}
    later = await client.v1.events.list_async({"created": {"gt": found.data[0].created + 60}})
    assert later.data == []
    with pytest.raises(stripe.InvalidRequestError, match="20 at most"):
        await client.v1.events.list_async({"types": [f"type.{number}" for number in range(21)]})
    await door.post("/_clock", {"advance": 31 * 86400})
    assert (await client.v1.events.list_async({"type": "payment_intent.succeeded"})).data == []


async def test_expansion_fills_in_what_exists_and_refuses_the_rest(door: Door, client: stripe.StripeClient) -> None:
    """Ids become objects four levels deep; a property that cannot be expanded is refused."""
    await door.switch(balance_after=0)
    await door.post("/_clock", {"advance": 1})
    paid = await door.pay(customer={"email": "a@example.com"}, capture="automatic")
    name = paid["payment_intent"]
    intent = await client.v1.payment_intents.retrieve_async(
        name, {"expand": ["latest_charge.balance_transaction", "customer"]}
    )
    assert isinstance(intent.customer, stripe.Customer)
    assert isinstance(intent.latest_charge, stripe.Charge)
    assert isinstance(intent.latest_charge.balance_transaction, stripe.BalanceTransaction)
    for path in ("amount", "nonsense", "latest_charge.nonsense"):
        with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
            await client.v1.payment_intents.retrieve_async(name, {"expand": [path]})


async def test_metadata_is_merged_key_by_key(door: Door, client: stripe.StripeClient) -> None:
    """New keys are added, empty values remove, everything else stays; nothing given clears."""
    paid = await door.pay(metadata={"shop": "1", "cart": "77"})
    name = paid["payment_intent"]
    changed = await client.v1.payment_intents.update_async(name, {"metadata": {"cart": "", "order": "SO-1"}})
    assert changed.metadata.to_dict() == {"shop": "1", "order": "SO-1"}
    cleared = await client.v1.payment_intents.update_async(name, {"metadata": ""})
    assert cleared.metadata.to_dict() == {}


async def test_a_charge_that_is_written_to_tells_what_changed(door: Door, client: stripe.StripeClient) -> None:
    """Metadata on a charge sends `charge.updated` with the changed keys only."""
    paid = await door.pay(metadata={"shop": "1"})
    await client.v1.charges.update_async(paid["charge"], {"metadata": {"order": "SO-1"}})
    (event,) = (await client.v1.events.list_async({"type": "charge.updated"})).data
    assert event.data.to_dict()["previous_attributes"] == {"metadata": {"order": None}}


async def test_the_endpoint_limit_is_a_switch(door: Door, client: stripe.StripeClient) -> None:
    """Beyond the limit an endpoint answers 429, another endpoint does not; off by default."""
    for _ in range(30):
        await client.v1.accounts.retrieve_current_async()
    await door.switch(requests_per_second=2)
    hurry = [client.v1.accounts.retrieve_current_async() for _ in range(10)]
    answers = await asyncio.gather(*hurry, return_exceptions=True)
    assert any(isinstance(answer, stripe.RateLimitError) for answer in answers)
    await client.v1.customers.list_async()


async def test_pages_can_be_kept_small(door: Door, client: stripe.StripeClient) -> None:
    """However many rows are asked for, no page has more than the switch says, and the pages have all rows once."""
    made = {(await client.v1.customers.create_async({})).id for _ in range(5)}
    await door.switch(rows_of_a_page=2)
    listed = await client.v1.customers.list_async({"limit": 100})
    assert (len(listed.data), listed.has_more) == (2, True)
    found = [row.id async for row in listed.auto_paging_iter()]
    assert (len(found), set(found)) == (5, made)


async def test_answers_carry_request_id_and_version(client: stripe.StripeClient) -> None:
    """The version asked for is echoed, every answer has an id."""
    account = await client.v1.accounts.retrieve_current_async()
    assert account.last_response is not None
    assert account.last_response.request_id is not None
    assert account.last_response.request_id.startswith("req_")
    assert account.last_response.headers["stripe-version"] == "2026-10-28.endive"


async def test_an_unknown_url_is_stripes_404(door: Door) -> None:
    """A path or method Stripe does not have gets an error body, not a page."""
    status, shown = await door.raw("GET", "/v1/orders")
    assert status == 404
    assert "Unrecognized request URL (GET: /v1/orders)" in shown["error"]["message"]


async def test_a_wish_that_cannot_be_understood_is_refused(door: Door) -> None:
    """The sandbox's own doors refuse unknown names, ways and switches instead of guessing."""
    refused: list[tuple[str, Mapping[str, Any]]] = [
        ("/_pay", {"lines": [], "colour": "red"}),
        ("/_pay", {"via": "pigeon"}),
        ("/_pay", {"lines": [{"sku": "A"}]}),
        ("/_pay", {"lines": [{"sku": "A", "unit_amount": 9.5}]}),
        ("/_pay", {"lines": [{"sku": "A", "unit_amount": 100, "quantity": 0}]}),
        ("/_pay", {"lines": [{"unit_amount": 100}], "via": "metadata"}),
        ("/_pay", {"outcome": "later"}),
        ("/_pay", {"account": "acct_none"}),
        ("/_switches", {"speed": 1}),
        ("/_switches", {"webhook_retries": -1}),
        ("/_switches", {"webhook_retries": True}),
        ("/_switches", {"rights_before_lookup": 1}),
        ("/_checkout/cs_none/complete", {}),
    ]
    for path, body in refused:
        status, shown = await door.raw("POST", path, json=body)
        assert status in (400, 404), path
        assert shown["error"]["message"]


async def test_reset_leaves_an_empty_stripe(door: Door) -> None:
    """After a reset nothing has happened, switches are the defaults, and kept accounts stay."""
    await door.post("/_seed", {"accounts": [{"id": "acct_two", "key": "sk_test_two"}]})
    await door.switch(fee_fixed=99)
    await door.pay()
    await door.post("/_reset", {"keep": ["accounts"]})
    ledger = await door.get("/_ledger")
    assert [account["id"] for account in ledger["accounts"]] == ["acct_1Sandbox", "acct_two"]
    assert (ledger["charges"], ledger["events"], ledger["deliveries"]) == ([], [], [])
    assert (await door.get("/_switches"))["fee_fixed"] == 30
    await door.pay()
    assert len((await door.get("/_ledger"))["charges"]) == 1
