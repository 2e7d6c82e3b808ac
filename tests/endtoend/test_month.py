"""A month through everything: what our runs certified, what waits for a person, and what Stripe holds."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr
from temporalio.client import Client
from temporalio.service import RPCError

from cli.months import read_month
from cli.temporal_server import TemporalServer
from clients.settings import Settings
from clients.stripe.gateway import StripeGateway
from domain.months import Flow, month_of
from domain.runs import Stage
from tests.endtoend.sweeping import until
from tests.endtoend.test_payouts import NEVER, certified, paid, paid_out, refunded, run_of, step
from tests.house import SIGNER, House, a_house
from workflows import contract

KEYS = SecretStr(",".join(f"{name}:{b64encode(seed).decode()}" for name, seed in SIGNER.seeds.items()))


async def test_a_month_holds_what_was_certified_and_what_waits(
    temporal_client: Client, temporal_server: TemporalServer, tmp_path: Path
) -> None:
    """It adds up although a payout cannot be certified; that one is named, and its money is at risk once."""
    async with a_house(temporal_client, tmp_path) as house:
        await house.post(f"{house.stripe_url}/_switches", NEVER)
        made = await paid(house)
        about = {"account": "acct_1Test", "charge": made["charge"], "amount": 1500}
        refund = await house.post(f"{house.stripe_url}/_refunds", about)
        await refunded(house, refund["id"], Stage.CREDITED)
        first = await paid_out(house)
        await step(house, first, "pay")
        await step(house, first, "reconcile")
        certificate = await certified(house, first)
        odd = {"account": "acct_1Test", "amount": 777, "kind": "adjustment", "category": "moon_dust"}
        await house.post(f"{house.stripe_url}/_movements", odd)
        second = await paid_out(house)
        await step(house, second, "pay")
        await step(house, second, "reconcile")
        await until(lambda: asks(house, second))
        settings = Settings(home=tmp_path, temporal_address=temporal_server.address, signing_keys=KEYS)
        now = datetime.now(UTC)
        span = month_of(f"{now:%Y-%m}", "UTC", now)
        stripe = StripeGateway(house.connection.stripe, house.connection.mapping)
        heard: list[str] = []
        try:
            month = await read_month(settings, house.connection, house.store, stripe.payouts, span, now, heard.append)
        finally:
            await stripe.close()
        (balance,) = month.balances
        assert (balance.difference.minor, balance.opening.minor, balance.closing.minor) == (0, 0, 0)
        flows = {one.flow: one.money.minor for one in balance.flows}
        assert (flows[Flow.CAPTURED], flows[Flow.REFUNDED], flows[Flow.UNKNOWN]) == (6777, -1500, 777)
        # Both may have been made in the same second.
        assert {(one.payout_id, one.hash, one.proved) for one in month.payouts} == {
            (first, certificate.hash, True), (second, "", False)
        }  # fmt: skip
        assert [(one.about, one.kind, one.at_risk and one.at_risk.minor) for one in month.open] == [
            (second, "no_certificate", 777), (second, "payout_unclear", None)
        ]  # fmt: skip
        assert (month.unseen, heard[0]) == ((), "Read 5 rows of Stripe's balance")
        assert {one.document for one in month.moves if one.flow is Flow.REFUNDED} != {""}


async def asks(house: House, payout_id: str) -> bool:
    """Whether the payout's run waits for a person, and the list says so."""
    try:
        waits = (await run_of(house, payout_id).describe()).typed_search_attributes.get(contract.NEEDS_ATTENTION)
    except RPCError:
        return False
    query = f"WorkflowId = '{contract.payout_workflow_id(house.slug, payout_id)}' AND NeedsAttention = true"
    return bool(waits) and bool((await house.client.count_workflows(query)).count)
