"""The run that reads what was changed in Zoho: which pages, what becomes of what they tell, and what stops nothing."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.exceptions import ApplicationError

from domain.by_hand import ByHandPolicy, ZohoList
from domain.order_polls import ListedOrders, NamelessNote, OrderLook, OrderNews, PollBegun, Restocked, Standing
from domain.policy import PaymentPolicy
from tests.workflows.fakes import Script, on_stage
from tests.workflows.samples import ANSWERS, QUICK
from tests.workflows.test_attention import shown
from tests.workflows.test_return_polls import anew, until
from workflows import contract


def reading(*lists: ZohoList) -> PaymentPolicy:
    """A shop that has these lists read, rarely."""
    return QUICK.model_copy(update={"by_hand": ByHandPolicy(poll_every=timedelta(hours=1), lists=lists)})


RARELY = reading(ZohoList.SALES_ORDERS)
BOTH = reading(ZohoList.SALES_ORDERS, ZohoList.INVOICES)
USUAL = QUICK.model_copy(update={"by_hand": ByHandPolicy(poll_every=timedelta(hours=1))})
NEWS = OrderNews(connection="shop", payment_id="pi_1", salesorder_id="so-1", document_id="so-1", state="new")
DRAWN = OrderNews(connection="shop", payment_id="pi_2", salesorder_id="so-2")
PAGE = ListedOrders(news=(NEWS,), rows=200, more=True)
ASKS = OrderLook(standing=Standing.VOID, digest="void", carry=True, turn=3)
TELLS = OrderLook(standing=Standing.STANDS, carry=True, tell=True, turn=2)
BEGUN: PollBegun = ANSWERS["begin_order_poll"]
NAMELESS = NamelessNote(connection="shop", document_id="cn-1", state="open")
FOUND = OrderNews(connection="shop", payment_id="pi_3", salesorder_id="so-3", document_id="cn-1", state="open")
EVERY_LIST: dict[str, Any] = {
    "begin_order_poll": BEGUN.model_copy(update={"remembered": BEGUN.since}),
    "list_changed": [ListedOrders(), ListedOrders(nameless=(NAMELESS, NAMELESS))],
    "trace_credit_note": [FOUND, None],
}

RESTOCKED: dict[str, Any] = {
    "begin_order_poll": BEGUN.model_copy(update={"sold_out": True}),
    "see_restocked": Restocked(payment_ids=("pi_7", "pi_8")),
}


async def read(handle: WorkflowHandle[Any, Any]) -> str:
    """What the run shows once it has read everything."""
    async with asyncio.timeout(30):
        while "UTC: what is changed" not in (text := await shown(handle)):
            await asyncio.sleep(0.01)
    return text


async def test_what_is_found_is_told_and_then_remembered(temporal_client: Client) -> None:
    """Stripe hears what was entered, a run asks a person, and only then the look is kept; then what was drawn."""
    begun = BEGUN.model_copy(update={"due": (DRAWN,)})
    script = Script({"begin_order_poll": begun, "list_changed": [PAGE, ListedOrders()], "see_order": ASKS})
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.order_polls(RARELY, anew())
        assert "2 pages were read, 2 orders looked at" in await read(handle)
        await handle.terminate()
    one = ["see_order", "carry_back", "tell_check", "keep_look"]
    assert script.names() == ["begin_order_poll", "list_changed", *one, "list_changed", *one, "end_order_poll"]
    assert [asked.page for asked in script.inputs("list_changed")] == [1, 2]
    assert [kept.state for kept in script.inputs("keep_look")] == ["new", ""]
    assert script.inputs("carry_back")[0].turn == 3
    assert script.inputs("end_order_poll")[0].at == BEGUN.at


async def test_people_are_told_of_a_shipment_once_stripe_was(temporal_client: Client) -> None:
    """Each time with the number of what Stripe was told; nobody who can be reached holds no order up."""
    away = ApplicationError("nobody took it", type="TryLater", non_retryable=True)
    begun = BEGUN.model_copy(update={"due": (DRAWN,)})
    script = Script({"begin_order_poll": begun, "list_changed": PAGE.model_copy(update={"more": False})})
    script.answers |= {"see_order": TELLS, "notify_shipment": [away, ANSWERS["notify_shipment"]]}
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.order_polls(RARELY, anew())
        assert "2 orders looked at" in await read(handle)
        await handle.terminate()
    one = ["see_order", "carry_back", "notify_shipment", "keep_look"]
    assert script.names() == ["begin_order_poll", "list_changed", *one, *one, "end_order_poll"]
    assert [told.turn for told in script.inputs("notify_shipment")] == [2, 2]
    assert [told.payment_id for told in script.inputs("notify_shipment")] == ["pi_1", "pi_2"]


async def test_a_credit_note_is_traced_and_what_we_remember_is_refreshed(temporal_client: Client) -> None:
    """The order that a note is for is looked at; contacts and items are read when it is time to."""
    script = Script(dict(EVERY_LIST))
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.order_polls(USUAL, anew())
        assert "4 pages were read, 1 orders looked at" in await read(handle)
        lists = ["list_changed", "list_changed", "trace_credit_note", "trace_credit_note", "see_order", "keep_look"]
        whole = ["begin_order_poll", *lists, "refresh_contacts", "refresh_items", "end_order_poll"]
        assert script.names() == whole
        assert script.inputs("keep_look")[0].document_id == "cn-1"
        script.answers |= {"begin_order_poll": BEGUN, "list_changed": ListedOrders()}
        await handle.signal(contract.LOOK_NOW)
        await until(script, lambda names: names.count("end_order_poll") == 2)
        await handle.terminate()
    assert script.names()[len(whole) :] == ["begin_order_poll", "list_changed", "list_changed", "end_order_poll"]
    assert [end.remembered for end in script.inputs("end_order_poll")] == [True, False]


async def test_whoever_waits_for_goods_that_are_there_again_is_told(temporal_client: Client) -> None:
    """One look for all of them."""
    script = Script(dict(RESTOCKED))
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.order_polls(RARELY, anew())
        await read(handle)
        await handle.terminate()
    story = ["list_changed", "see_restocked", "tell_restocked", "tell_restocked", "end_order_poll"]
    assert script.names() == ["begin_order_poll", *story]
    assert [told.payment_id for told in script.inputs("tell_restocked")] == ["pi_7", "pi_8"]


async def test_a_list_that_the_token_may_not_read_holds_no_other_up(temporal_client: Client) -> None:
    """Of credit notes, contacts and items: the run says so, and what it read is kept."""
    no = ApplicationError("zoho 401 57: no right", type="NotAllowed", non_retryable=True)
    script = Script({**EVERY_LIST, "list_changed": [ListedOrders(), no], "refresh_contacts": no})
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.order_polls(USUAL, anew())
        said = await read(handle)
        await handle.terminate()
    assert "2 pages were read" in said
    assert said.count("could not be read: NotAllowed: zoho 401 57: no right") == 2
    assert script.names()[-2:] == ["refresh_items", "end_order_poll"]


async def test_an_order_that_cannot_be_read_holds_up_no_other(temporal_client: Client) -> None:
    """It is not remembered, so that the next poll looks again; a list that cannot be read is read from there again."""
    gone = ApplicationError("no right", type="NotAllowed", non_retryable=True)
    begun = BEGUN.model_copy(update={"due": (DRAWN,)})
    look = ANSWERS["see_order"]
    script = Script({"begin_order_poll": begun, "list_changed": [PAGE, ListedOrders()], "see_order": [gone, look]})
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.order_polls(BOTH, anew())
        assert "2 orders looked at, of which 1 could not be read" in await read(handle)
        assert [asked.list for asked in script.inputs("list_changed")] == ["salesorders", "salesorders", "invoices"]
        assert [kept.salesorder_id for kept in script.inputs("keep_look")] == ["so-2"]
        script.answers["list_changed"] = gone
        await handle.signal(contract.LOOK_NOW)
        await until(script, lambda names: names[-1] == "list_changed")
        assert len(script.inputs("end_order_poll")) == 1
        await handle.signal(contract.LOOK_NOW, RARELY.model_copy(update={"by_hand": ByHandPolicy(poll_every=0)}))
        await handle.result()
