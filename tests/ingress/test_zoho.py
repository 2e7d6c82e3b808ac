"""What Zoho's workflow rules get for a delivery, and what it did not cause."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from temporalio.client import Client

from clients.store import Store
from domain.policy import ReturnPolicy, ReturnTrigger
from ingress.app import make_app
from ingress.deliveries import Refusal
from ingress.run import serving
from ingress.zoho import about
from tests.ingress.conftest import LIMITS, Door, NoteTaker, new_session
from tests.ingress.deliveries import NOW, connection

SHOP, SECRET = "returning", "Abcdefgh12345678"
RETURN = {"salesreturn_id": "4815000000044972", "salesreturn_number": "RMA-1"}
ADJUSTMENT = {"inventory_adjustment_id": "4815000000055001", "reason": "Customer return"}
NOTE = {"creditnote_id": "90300000072369", "salesreturn_id": "4815000000044972"}


@pytest.fixture
async def door(store: Store, notes: NoteTaker, temporal_client: Client) -> AsyncIterator[Door]:
    """An ingress with a shop that carries returns, one that does not, and one that takes no webhooks of Zoho's."""
    plain = connection()
    zoho = plain.zoho.model_copy(update={"webhook_secrets": (SecretStr("OlderSecret123"), SecretStr(SECRET))})
    on = plain.policy.model_copy(
        update={"returns": ReturnPolicy(trigger=ReturnTrigger.RECEIVED, adjustment_reason="Customer return")}
    )
    shops = {
        SHOP: plain.model_copy(update={"slug": SHOP, "zoho": zoho, "policy": on}),
        "off": plain.model_copy(update={"slug": "off", "zoho": zoho}),
        "closed": plain.model_copy(update={"slug": "closed"}),
    }
    app = make_app(shops, temporal_client, store, starter=notes, now=lambda: NOW, limits=LIMITS)
    async with serving(app, "127.0.0.1", 0) as url, new_session() as session:
        yield Door(url, session, store, temporal_client)


async def said(door: Door, body: Any, *, shop: str = SHOP, secret: str = SECRET, **how: Any) -> tuple[int, Any]:
    """Status and answer of one delivery."""
    raw = body if isinstance(body, str) else json.dumps(body)
    headers = {"X-Throughline-Secret": secret, **how.pop("headers", {})}
    async with door.session.post(f"{door.url}/webhooks/zoho/{shop}", data=raw.encode(), headers=headers, **how) as got:
        return got.status, await got.json()


def signature(pairs: dict[str, str], raw: str, secret: str = SECRET) -> dict[str, str]:
    """The header by Zoho Billing's scheme."""
    text = "".join(key + value for key, value in sorted(pairs.items())) + raw
    return {"X-Zoho-Webhook-Signature": hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()}


@pytest.mark.parametrize(
    "body",
    [
        RETURN,
        {"salesreturn": RETURN},
        {"salesreturn_id": 4815000000044972},
        urlencode(RETURN),
        urlencode({"JSONString": json.dumps({"salesreturn": RETURN})}),
        NOTE,
        {"creditnote": NOTE},
    ],
)
async def test_a_return_reaches_its_run_in_whatever_shape(door: Door, notes: NoteTaker, body: Any) -> None:
    """A return, or a credit note of one, as JSON or as a form."""
    text = body if isinstance(body, str) else json.dumps(body)
    form = {"Content-Type": "application/x-www-form-urlencoded"} if isinstance(body, str) else {}
    assert await said(door, text, headers=form) == (200, {"outcome": "accepted"})
    assert notes.returns == [(SHOP, "4815000000044972")]
    kind = "creditnote" if "creditnote_id" in text else "salesreturn"
    assert await door.counted("accepted", slug=SHOP, type=kind) == 1


@pytest.mark.parametrize("body", [ADJUSTMENT, {"inventory_adjustment": ADJUSTMENT}, urlencode(ADJUSTMENT)])
async def test_an_adjustment_reaches_its_run(door: Door, notes: NoteTaker, body: Any) -> None:
    """In whatever shape; where no adjustment proposes anything, it is left alone."""
    text = body if isinstance(body, str) else json.dumps(body)
    form = {"Content-Type": "application/x-www-form-urlencoded"} if isinstance(body, str) else {}
    assert await said(door, text, headers=form) == (200, {"outcome": "accepted"})
    assert await said(door, text, shop="off", headers=form) == (200, {"outcome": "ignored-adjustments-off"})
    assert (notes.adjustments, notes.returns) == ([(SHOP, "4815000000055001")], [])
    assert await door.counted("accepted", slug=SHOP, type="inventory_adjustment") == 1


async def test_the_secret_may_stand_in_the_query(door: Door, notes: NoteTaker) -> None:
    """Zoho's rules have parameters as well as headers."""
    assert (await said(door, RETURN, secret="", params={"secret": SECRET}))[0] == 200
    assert len(notes.returns) == 1


@pytest.mark.parametrize(("shop", "secret", "status"), [
    (SHOP, "", 401), (SHOP, "wrong", 401), ("closed", SECRET, 404), ("closed", "", 404), ("nobody", SECRET, 404),
])  # fmt: skip
async def test_without_the_secret_nothing_is_taken(
    door: Door, notes: NoteTaker, shop: str, secret: str, status: int
) -> None:
    """A shop without a secret takes no webhook of Zoho's at all."""
    code, answer = await said(door, RETURN, shop=shop, secret=secret)
    assert (code, list(answer), notes.returns) == (status, ["error"], [])


async def test_a_signature_is_checked_where_there_is_one(door: Door, notes: NoteTaker) -> None:
    """Over query and raw body; a wrong one is refused though the secret is right."""
    raw = json.dumps(RETURN)
    query = {"a": "1", "b": "2"}
    assert (await said(door, raw, params=query, headers=signature(query, raw)))[0] == 200
    for wrong in (signature({}, raw), signature(query, raw + " "), signature(query, raw, "AnotherSecret99")):
        assert (await said(door, raw, params=query, headers=wrong))[0] == 401
    form = urlencode(RETURN)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await said(door, form, headers={**kind, **signature(RETURN, "")}))[0] == 200
    assert len(notes.returns) == 2


@pytest.mark.parametrize(
    "body", ["", "{", "[1]", "nonsense", '{"salesreturn_id": "../4"}', '{"salesreturn_id": {"a": 1}}']
)
async def test_what_cannot_be_read_is_refused(door: Door, notes: NoteTaker, body: str) -> None:
    """Nothing is started for it."""
    assert ((await said(door, body))[0], notes.returns) == (400, [])


async def test_what_is_none_of_our_business(door: Door, notes: NoteTaker) -> None:
    """Another record, a credit note without a return, a shop that carries no returns: answered, so that Zoho rests."""
    for body, shop, outcome in (
        ({"item_id": "1"}, SHOP, "ignored-type"),
        ({"creditnote_id": "1", "salesreturn_id": ""}, SHOP, "ignored-type"),
        (RETURN, "off", "ignored-returns-off"),
    ):
        assert await said(door, body, shop=shop) == (200, {"outcome": outcome})
    assert notes.returns == []


async def test_temporal_away_is_said(door: Door, notes: NoteTaker) -> None:
    """503, so that whoever retries does; the list of returns is read from time to time all the same."""
    notes.down = True
    assert (await said(door, RETURN))[0] == 503


IDS = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists)
NAMED = IDS.map(lambda value: json.dumps({"salesreturn_id": value}).encode())


@given(raw=st.binary(max_size=200) | NAMED)
def test_any_body_is_read_or_refused(raw: bytes) -> None:
    """No input ends in anything but an id of digits, nothing, or a refusal."""
    with suppress(Refusal):
        _, return_id = about(raw)
        assert return_id == "" or return_id.isdigit()
