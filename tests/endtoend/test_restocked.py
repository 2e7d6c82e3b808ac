"""Orders that wait because their goods are sold out, and go on by themselves once Zoho has enough."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

from temporalio.client import Client

from domain.by_hand import ByHandPolicy, ZohoList
from tests.endtoend.by_hand import a_shop, polled
from tests.endtoend.test_oversell import HOLD, ONE, selling
from tests.endtoend.zoho_desk import Desk
from tests.house import BUYER, House

LOOKS = "GET /itemdetails"
ALONE = ByHandPolicy(poll_every=timedelta(hours=1), lists=(ZohoList.SALES_ORDERS,), checks=0)


async def bought(house: House, number: int, quantity: int = 1) -> str:
    """Another buyer pays for so many pieces."""
    buyer = {**BUYER, "email": f"buyer{number}@example.com"}
    paid = await house.pay(guest=buyer, lines=[{**ONE[0], "quantity": quantity}])
    return str(paid["payment_intent"])


async def spent(house: House) -> Counter[str]:
    """What Zoho was asked so far."""
    return Counter((await house.zoho(only="calls"))["calls"]["counts"])


async def test_what_is_restocked_goes_to_whoever_waited_longest(temporal_client: Client, tmp_path: Path) -> None:
    """As far as it goes round; a look costs one call while somebody waits, and none when nobody does."""
    async with a_shop(temporal_client, tmp_path, by_hand=ALONE, policy=HOLD, seed=selling(1)) as house:
        await house.done(await bought(house, 0))
        before = await spent(house)
        await polled(house)
        assert (await spent(house) - before)[LOOKS] == 0
        first = await bought(house, 1)
        assert (await house.parked(first)).attention_class == "oversold"
        second = await bought(house, 2)
        assert (await house.parked(second)).attention_class == "oversold"
        before = await spent(house)
        await polled(house)
        assert (await spent(house) - before)[LOOKS] == 1
        await Desk(house).adjusts(("LAST", 1), reason="Delivery")
        await polled(house)
        assert (await house.done(first))["stage"] == "paid"
        assert (await house.parked(second)).attention_class == "oversold"
        (answer,) = [one for one in await house.store.audit.entries(house.slug) if one.step.startswith("answer#")]
        assert answer.note == "retry by throughline: Zoho has enough again"


async def test_who_waits_no_more_is_not_asked_for(temporal_client: Client, tmp_path: Path) -> None:
    """A payment that a person aborted wants nothing any more."""
    async with a_shop(temporal_client, tmp_path, by_hand=ALONE, policy=HOLD, seed=selling(0)) as house:
        payment_id = await bought(house, 1)
        await house.parked(payment_id)
        await house.answer(payment_id, "abort", reason="sold elsewhere")
        await house.failed(payment_id)
        before = await spent(house)
        for _ in range(2):
            await polled(house)
        assert (await spent(house) - before)[LOOKS] == 0
        assert not await house.store.links.keys_of(house.slug, "sold-out", [payment_id])


async def test_a_shop_that_wants_a_person_to_say_so(temporal_client: Client, tmp_path: Path) -> None:
    """The order waits, and costs nothing."""
    by_hand = ALONE.model_copy(update={"restocked": False})
    async with a_shop(temporal_client, tmp_path, by_hand=by_hand, policy=HOLD, seed=selling(0)) as house:
        payment_id = await bought(house, 1)
        await house.parked(payment_id)
        await Desk(house).adjusts(("LAST", 1), reason="Delivery")
        before = await spent(house)
        await polled(house)
        assert (await spent(house) - before)[LOOKS] == 0
        assert (await house.parked(payment_id)).attention_class == "oversold"
