"""`throughline payouts month`: read from Stripe and the store, and added up to the cent."""

from __future__ import annotations

import csv
import functools
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from cli.exits import Stop
from cli.months import read_month, read_statement, zone_of
from cli.reach import open_store
from clients.connections import StripeAccount
from clients.errors import Unreachable
from clients.settings import Settings, read_signing_keys
from clients.stripe.gateway import StripeGateway
from clients.stripe.payouts import StripePayouts
from clients.zoho.budget import Rules
from domain.canonical import canonical
from domain.certificates import certify
from domain.certified import Certificate
from domain.mapping_policy import MappingPolicy
from domain.matching import explain
from domain.money import Money
from domain.months import month_of
from domain.payouts import LinePage
from domain.postings import AccountNames
from sandbox.serving import serve
from sandbox.stripe.app import make_app
from tests.cli.conftest import Command
from tests.cli.sample_month import a_shop
from tests.cli.test_main import CONNECTION
from tests.house import connection_of

NOW = datetime.now(UTC)
MONTH = f"{NOW:%Y-%m}"


@dataclass
class Shop:
    """A shop at the Stripe sandbox, and the store that its certificates are in."""

    url: str
    folder: Path
    http: httpx.AsyncClient

    async def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """A door of the sandbox's own."""
        answer = await self.http.post(f"{self.url}{path}", json=body or {})
        assert answer.is_success, answer.text
        return dict(answer.json())

    async def pays(self, amount: int) -> None:
        """A payment whose fee is known."""
        made = await self.post("/_pay", {"via": "bare", "currency": "eur", "amount": amount})
        await self.post(f"/_charges/{made['charge']}/balance")

    async def paid_out(self) -> str:
        """A payout of all there is, paid and reconciled."""
        payout_id = str((await self.post("/_payouts", {"pending_too": True}))["id"])
        for step in ("pay", "reconcile"):
            await self.post(f"/_payouts/{payout_id}/{step}")
        return payout_id

    def gateway(self) -> StripeGateway:
        """To be closed."""
        account = StripeAccount(
            account_id="acct_1", livemode=False, api_key=SecretStr("sk_test_1"), pull=True, api_base=self.url
        )
        return StripeGateway(account, MappingPolicy())

    async def certified(self, payout_id: str) -> Certificate:
        """Its certificate, issued as a worker issues it."""
        gateway = self.gateway()
        payout = await gateway.payouts.fetch(payout_id)
        explained = explain(payout, await gateway.payouts.lines(payout), ())
        await gateway.close()
        ring = read_signing_keys(Settings(home=self.folder / ".throughline"))
        made = certify(explained, AccountNames(), ring, connection="demo", at=NOW)
        await self.issued(made, made.certificate.version)
        return made

    async def issued(self, certificate: Certificate, version: int) -> None:
        """In the store, whether it is true or not."""
        store = await open_store(Settings(home=self.folder / ".throughline"))
        text = canonical(certificate.document()).decode()
        name = certificate.certificate.payout.id
        assert await store.payouts.issue("demo", name, version, f"{version}" * 64, document=text, at=NOW)
        await store.close()


@asynccontextmanager
async def a_sandbox(folder: Path) -> AsyncIterator[Shop]:
    """With a connection to it in the folder's file; Temporal is nowhere."""
    served = await serve(make_app(accounts=[]))
    try:
        async with httpx.AsyncClient() as http:
            shop = Shop(served.url, folder, http)
            account = {"id": "acct_1", "key": "sk_test_1", "country": "DE", "default_currency": "eur"}
            await shop.post("/_seed", {"accounts": [account]})
            await shop.post("/_switches", dict.fromkeys(("balance_after", "payout_after", "reconciled_after")))
            head = "[connections.demo.stripe]"
            text = CONNECTION.replace(head, f'[connections.demo]\ntime_zone = "UTC"\n{head}\napi_base = "{served.url}"')
            (folder / "connections.toml").write_text(text)
            yield shop
    finally:
        await served.stop()


NO_TEMPORAL = {"THROUGHLINE_TEMPORAL_ADDRESS": "127.0.0.1:1"}


async def test_a_month_is_read_added_up_and_written(throughline: Command, tmp_path: Path) -> None:
    """What is paid out comes from its certificate, what is not from Stripe; a changed cent is found and ends with 1."""
    async with a_sandbox(tmp_path) as shop:
        await shop.pays(4990)
        await shop.post(
            "/_movements", {"amount": -250, "kind": "stripe_fee", "category": "fee", "description": "Radar"}
        )
        payout_id = await shop.paid_out()
        await shop.pays(1000)
        certificate = await shop.certified(payout_id)
        ended = await throughline(
            "payouts", "month", MONTH, "-o", "json", "--html", "month.html", "--csv", "month.csv", **NO_TEMPORAL
        )
        assert ended.code == 0, ended.err
        month = json.loads(ended.out)
        (balance,) = month["balances"]
        flows = {one["flow"]: one["money"]["minor"] for one in balance["flows"]}
        held = 1000 - (await fee_of(shop, 1000))
        assert (flows["captured"], flows["paid_out"]) == (5990, -certificate.certificate.payout.minor)
        assert (balance["opening"]["minor"], balance["closing"]["minor"], balance["waiting_rows"]) == (0, held, 1)
        assert balance["difference"]["minor"] == 0
        (payout,) = month["payouts"]
        assert (payout["payout_id"], payout["hash"], payout["flaws"]) == (payout_id, certificate.hash, [])
        assert [(one["kind"], one["at_risk"]["minor"]) for one in month["open"]] == [("payment_missing", 4990)]
        assert "were not looked at" in month["unseen"][0]
        assert certificate.hash in (tmp_path / "month.html").read_text()
        rows = list(csv.DictReader(io.StringIO((tmp_path / "month.csv").read_text())))
        assert (rows[0]["what"], rows[-1]["what"], rows[-1]["balance"]) == (
            "Opening balance", "Closing balance", f"{held / 100:.2f}"
        )  # fmt: skip
        await shop.issued(altered(certificate), 2)
        shown = await throughline("payouts", "month", MONTH, **NO_TEMPORAL)
        assert shown.code == 1
        assert "does NOT verify" in shown.out
        assert f"{certificate.lines[1].transaction} is certified by {payout_id} with amount 49.91 EUR" in shown.err


async def fee_of(shop: Shop, amount: int) -> int:
    """What Stripe took for a charge."""
    ledger = (await shop.http.get(f"{shop.url}/_ledger")).json()
    return next(int(row["fee"]) for row in ledger["balance_transactions"] if row["amount"] == amount)


def altered(certificate: Certificate) -> Certificate:
    """One cent more on the charge."""
    assert certificate.lines[1].kind == "charge"
    line = certificate.lines[1].model_copy(update={"amount": certificate.lines[1].amount + 1})
    return certificate.model_copy(update={"lines": [certificate.lines[0], line]})


async def test_a_later_payout_proves_the_rows_of_an_earlier_month(tmp_path: Path) -> None:
    """Paid in one month and paid out in the next: certified rows, no payout, and what Stripe held at the end of it."""
    settings = Settings(home=tmp_path / ".throughline", temporal_address="127.0.0.1:1")
    span, later = month_of(MONTH, "UTC", NOW), NOW + timedelta(days=41)
    async with a_sandbox(tmp_path) as shop:
        await shop.pays(4990)
        held = 4990 - await fee_of(shop, 4990)
        await shop.post("/_clock", {"advance": 40 * 86400})
        await shop.certified(await shop.paid_out())
        await shop.pays(1000)
        store, gateway = await open_store(settings), shop.gateway()
        try:
            read = functools.partial(read_month, settings, connection_of("demo", shop.url, ""), store, gateway.payouts)
            first = await read(span, later, lambda said: None)
            second = await read(month_of(f"{later - timedelta(days=1):%Y-%m}", "UTC", later), later, lambda said: None)
        finally:
            await gateway.close()
            await store.close()
    (balance,) = first.balances
    assert (balance.opening.minor, balance.closing.minor, balance.waiting_rows) == (0, held, 0)
    assert (first.payouts, first.balanced, first.over, {one.payout_id for one in first.moves} == {""}) == (
        (), True, True, False
    )  # fmt: skip
    (balance,) = second.balances
    assert (balance.opening.minor, balance.waiting_rows, second.balanced) == (held, 1, True)
    assert [one.proved for one in second.payouts] == [True]


class Restless(StripePayouts):
    """A balance that moves while it is read, so many times."""

    def __init__(self, moves: int) -> None:
        self.moves = moves
        self.asked = 0

    async def held(self) -> dict[str, Money]:
        """One cent more each time, until it rests."""
        self.asked += 1
        return {"EUR": Money.of(100 + min(self.asked, self.moves + 1), "EUR")}

    async def statement(self, since: datetime, after: str = "") -> LinePage:
        """Nothing moved in that time."""
        return LinePage()


async def test_a_balance_that_moves_meanwhile_is_read_again() -> None:
    """A few times; then a person is asked to."""
    resting = await read_statement(Restless(1), a_shop().month().span, lambda said: None)
    assert resting.closing == {"EUR": Money.of(102, "EUR")}
    with pytest.raises(Stop, match="try again in a moment"):
        await read_statement(Restless(100), a_shop().month().span, lambda said: None)


async def test_a_wrong_month_is_refused_before_stripe_is_asked(throughline: Command, tmp_path: Path) -> None:
    """By the clocks of the connection's zone."""
    head = "[connections.demo.stripe]"
    text = CONNECTION.replace(head, f'[connections.demo]\ntime_zone = "Europe/Berlin"\n{head}')
    (tmp_path / "connections.toml").write_text(text)
    ended = await throughline("payouts", "month", "2999-01")
    assert (ended.code, "has not begun yet in Europe/Berlin" in ended.err) == (2, True), ended.err


async def test_the_zone_is_the_settings_or_the_organisations(tmp_path: Path) -> None:
    """What an organisation's budget has learned, unless the connection says another; else Zoho is asked."""
    store = await open_store(Settings(home=tmp_path))
    try:
        connection = connection_of("shop", "http://127.0.0.1:1", "http://127.0.0.1:1")
        with pytest.raises(Unreachable):
            await zone_of(connection, store)
        rules, now = Rules(1, 0, 0), datetime.now(UTC)
        organization = connection.zoho.organization_id
        await store.budgets.enter(organization, slot="1", rules=rules, until=now, now=now)
        await store.budgets.learn_zone(organization, "Asia/Tokyo")
        assert await zone_of(connection, store) == "Asia/Tokyo"
        assert await zone_of(connection.model_copy(update={"time_zone": "UTC"}), store) == "UTC"
    finally:
        await store.close()
