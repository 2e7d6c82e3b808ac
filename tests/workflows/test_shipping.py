"""Package and shipment in a payment's story, and an organisation that does steps by itself."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError

from domain.disputes import DisputesFound
from domain.documents import OwnStep, PackageDocument, ShipmentDocument
from domain.policy import DisputeHold, Ship, ShipmentKeys
from domain.runs import StepDone
from domain.sales import InvoiceWritten, OrderWritten, ReceiptWritten
from domain.shipping import PackagesFound, PackageWritten, ShipmentWritten
from tests.workflows.fakes import Script, on_stage
from tests.workflows.samples import GOODS, QUICK, TOTAL, known_plan
from tests.workflows.test_attention import standing
from tests.workflows.test_payments import STORY, carry, parked, plans, until_parked
from workflows import contract

SHIPS = QUICK.model_copy(update={"ship": Ship.WHEN_PAID})
SHIPPED = [*STORY[:-1], "find_disputes", "create_package", "create_shipment", "write_back"]
WENT = ShipmentDocument(shipment_id="sh-7", number="SH-7", carrier="DHL", tracking_number="0034", status="shipped")
PACKED = PackageDocument(package_id="pk-7", number="PKG-7")
GONE = PACKED.model_copy(update={"shipment": WENT})
ORDER = OrderWritten(salesorder_id="so-1", status="draft", total=TOTAL, line_item_ids=("l-1",), goods=GOODS)


async def test_policy_ships_after_the_payment_with_two_more_calls(temporal_client: Client) -> None:
    """Package, then shipment, once the money is recorded; the run is found by their ids."""
    script = Script()
    result, handle = await carry(temporal_client, script, policy=SHIPS)
    assert script.names() == SHIPPED
    assert result["shipment_id"] == "sh-1"
    wanted = script.inputs("create_shipment")[0]
    assert (wanted.salesorder_id, wanted.package_ids, wanted.number[:3]) == ("so-1", ("pk-1",), "SH-")
    assert script.inputs("create_package")[0].goods == GOODS
    found = (await handle.describe()).typed_search_attributes[contract.BUSINESS_IDS]
    assert {"pk-1", "sh-1"} <= set(found)


async def test_nothing_is_shipped_unless_the_policy_says_so(temporal_client: Client) -> None:
    """By default the story ends as it always did, and Stripe hears nothing of a shipment."""
    script = Script()
    result, _ = await carry(temporal_client, script)
    assert script.names() == STORY
    assert (result["shipment_id"], list(script.inputs("write_back")[0].metadata)) == (
        "",
        ["zoho_salesorder_id", "zoho_salesorder_number"],
    )


async def test_people_are_told_how_it_left(temporal_client: Client) -> None:
    """The message of the paid order names shipment, carrier and tracking number, or that there is none yet."""
    for shipment, told in ((WENT, "SH-7 by DHL 0034"), (None, "SH-1 without a tracking number")):
        packed = {"create_shipment": ShipmentWritten.of(shipment, "pk-7")} if shipment else {}
        script = Script({"prepare_order": lambda w: known_plan(w.payment_id, notify=True), **packed})
        await carry(temporal_client, script, policy=SHIPS)
        (notice,) = script.inputs("notify_paid")
        assert notice.message.endswith(f" · paid · shipped as {told}")


@pytest.mark.parametrize("hold", list(DisputeHold))
async def test_a_disputed_payments_goods_stay_by_policy(temporal_client: Client, hold: DisputeHold) -> None:
    """Somebody disputes it before it is shipped: the order is complete without the shipment, which a note says."""
    script = Script({"find_disputes": DisputesFound(holding=("du_1",)), "prepare_order": plans()})
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.start(stage.payment(policy=SHIPS.model_copy(update={"dispute_hold": hold})))
        result = await handle.result()
        notes = (await handle.query(contract.PROGRESS))["notes"]
    shipped = hold is DisputeHold.GO_ON
    asked = {"find_disputes", "create_shipment"} & set(script.names())
    assert asked == ({"create_shipment"} if shipped else {"find_disputes"})
    assert bool(result["shipment_id"]) is shipped
    assert any("not shipped: dispute du_1" in note for note in notes) is not shipped


async def test_what_has_left_is_told_however_disputed(temporal_client: Client) -> None:
    """Shipped, then parked at the note in Stripe's metadata, and disputed meanwhile: nothing can be held any more."""
    refused = ApplicationError("no right", type="NotAllowed", non_retryable=True)
    found = [DisputesFound(), DisputesFound(holding=("du_1",))]
    script = Script({"prepare_order": plans(), "find_disputes": found, "write_back": [refused, StepDone()]})
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.start(stage.payment(policy=SHIPS))
        await until_parked(handle)
        again = temporal_client.get_workflow_handle(handle.id)
        await again.signal(contract.RESUME, "retry")
        assert (await again.result())["shipment_id"] == "sh-1"
    assert script.names().count("find_disputes") == 1


async def test_services_are_not_packed(temporal_client: Client) -> None:
    """An order without goods is paid and has nothing to ship."""
    script = Script({"create_sales_order": ORDER.model_copy(update={"goods": ()})})
    await carry(temporal_client, script, policy=SHIPS)
    assert script.names() == STORY


async def test_tracking_is_told_under_the_policys_keys(temporal_client: Client) -> None:
    """What is known of the shipment goes into Stripe's metadata; a key that is left out is left out."""
    went = ShipmentWritten.of(WENT, "pk-1")
    policy = SHIPS.model_copy(update={"shipment_keys": ShipmentKeys(tracking_number="parcel", carrier="")})
    script = Script({"create_shipment": went})
    result, _ = await carry(temporal_client, script, policy=policy)
    told = script.inputs("write_back")[0].metadata
    assert (told["zoho_shipment_id"], told["parcel"], told["shipment_status"]) == ("sh-7", "0034", "shipped")
    assert len(told) == 5
    assert result["tracking_number"] == "0034"


@pytest.mark.parametrize(
    ("write", "lost", "there"),
    [
        ("create_package", PackageWritten(unknown=True, asked=1), PACKED),
        ("create_shipment", ShipmentWritten(unknown=True, asked=1), GONE),
    ],
)
async def test_lost_answer_is_found_on_the_order(
    temporal_client: Client, write: str, lost: Any, there: PackageDocument
) -> None:
    """One look at the order tells that it was written; it is not written again."""
    script = Script({write: lost, "find_packages": PackagesFound(packages=(there,))})
    await carry(temporal_client, script, policy=SHIPS)
    assert [script.names().count(name) for name in ("create_package", "create_shipment", "find_packages")] == [1, 1, 1]


@pytest.mark.parametrize("write", ["create_package", "create_shipment"])
async def test_lost_answer_that_was_not_applied_is_written_once_more(temporal_client: Client, write: str) -> None:
    """Looked for twice and not there: one more try, which says after how many it was looked."""
    lost = {"unknown": True, "asked": 1}
    good = Script().answer(write, None)
    script = Script(
        {write: [lost, good], "find_packages": PackagesFound(packages=() if "pack" in write else (PACKED,))}
    )
    await carry(temporal_client, script, policy=SHIPS)
    assert [wanted.after for wanted in script.inputs(write)] == [0, 1]
    assert script.names().count("find_packages") == 2


async def test_what_a_person_packed_meanwhile_is_shipped_as_it_is(temporal_client: Client) -> None:
    """The shipment was refused and somebody packed anew: after the answer the order is looked at first."""
    refused = ApplicationError("zoho 400: packed twice", {"service": "zoho"}, type="Refused", non_retryable=True)
    script = Script(
        {"prepare_order": plans(), "create_package": refused, "find_packages": PackagesFound(packages=(PACKED,))}
    )
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.start(stage.payment(policy=SHIPS))
        assert (await until_parked(handle)).step == "ship"
        await temporal_client.get_workflow_handle(handle.id).signal(contract.RESUME, "retry")
        await temporal_client.get_workflow_handle(handle.id).result()
    assert script.names().count("create_package") == 1
    assert script.inputs("create_shipment")[0].package_ids == ("pk-7",)


async def test_shipment_can_be_left_out_with_a_reason(temporal_client: Client) -> None:
    """The order is complete without it."""
    refused = ApplicationError("zoho 400: no", {"service": "zoho"}, type="Refused", non_retryable=True)
    script = Script({"prepare_order": plans(), "create_shipment": refused})
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.start(stage.payment(policy=SHIPS))
        assert (await until_parked(handle)).skippable
        answer = {"action": "skip", "reason": "picked up at the till"}
        await temporal_client.get_workflow_handle(handle.id).signal(contract.RESUME, answer)
        result = await temporal_client.get_workflow_handle(handle.id).result()
    assert (result["stage"], result["shipment_id"]) == ("paid", "")
    assert script.names().count("create_shipment") == 1


def shipped() -> dict[str, Any]:
    """Zoho as it answers while a shipped order is taken back step by step."""
    zoho = standing()
    stands = {"package": True, "shipment": True}

    def packages() -> tuple[PackageDocument, ...]:
        return (GONE if stands["shipment"] else PACKED,) if stands["package"] else ()

    def take(what: str) -> Any:
        def answer(_: Any) -> dict[str, Any]:
            stands[what] = False
            return {}

        return answer

    read = zoho["read_sales_order"]
    return zoho | {
        "read_sales_order": lambda wanted: read(wanted).model_copy(update={"packages": packages()}),
        "find_packages": lambda _: PackagesFound(packages=packages()),
        "delete_shipment": take("shipment"),
        "delete_package": take("package"),
    }


UNDONE = ["clear_metadata", "delete_shipment", "delete_package", "delete_payment", "void_invoice", "void_sales_order"]


@pytest.mark.parametrize(("at", "undone"), [("create_shipment", UNDONE[1:]), ("write_back", UNDONE)])
async def test_cancel_takes_shipment_and_package_back_first(
    temporal_client: Client, at: str, undone: list[str]
) -> None:
    """The last step is taken back first, each seen to be gone before the one below it."""
    script = Script({"prepare_order": plans(), at: RuntimeError("away"), **shipped()})
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.start(stage.payment(policy=SHIPS))
        async with asyncio.timeout(20):
            while at not in script.names():
                await asyncio.sleep(0.02)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    assert [name for name in script.names() if name in UNDONE] == undone
    assert script.inputs("delete_shipment")[0].document_id == "sh-7"
    assert script.inputs("delete_package")[0].document_id == "pk-7"


async def test_shipment_that_stands_after_all_parks_loudly(temporal_client: Client) -> None:
    """Zoho says yes and keeps it: the run names what stands, and the package is left as it is."""
    zoho = shipped() | {"delete_shipment": lambda _: {}}
    script = Script({"prepare_order": plans(), "write_back": RuntimeError("away"), **zoho})
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.start(stage.payment(policy=SHIPS))
        async with asyncio.timeout(20):
            while "write_back" not in script.names():
                await asyncio.sleep(0.02)
        await handle.cancel()
        trouble = await until_parked(temporal_client.get_workflow_handle(handle.id))
        await temporal_client.get_workflow_handle(handle.id).terminate()
    assert (trouble.attention_class, "the shipment" in trouble.message) == ("undo_failed", True)
    assert "delete_package" not in script.names()


INVOICE = InvoiceWritten(invoice_id="in-7", number="INV-7", status="paid", total=TOTAL, balance=TOTAL.zero())
ALL_STEPS = tuple(OwnStep)


async def test_what_the_organisation_does_by_itself_is_not_done_twice(temporal_client: Client) -> None:
    """After confirming one read tells invoice, payment, package and shipment; none of them is written."""
    order = ORDER.model_copy(update={"own_steps": ALL_STEPS})
    script = Script(
        {
            "create_sales_order": order,
            "read_sales_order": order.model_copy(
                update={"status": "confirmed", "invoices": (INVOICE,), "packages": (GONE,)}
            ),
            "find_invoice": INVOICE,
            "find_payment": ReceiptWritten(zoho_payment_id="pay-7", balance=TOTAL.zero()),
        }
    )
    result, _ = await carry(temporal_client, script, policy=SHIPS)
    assert not {"create_invoice", "mark_invoice_sent", "record_payment", "create_package", "create_shipment"} & set(
        script.names()
    )
    assert script.names().count("read_sales_order") == 1
    assert (result["invoice_id"], result["zoho_payment_id"], result["shipment_id"]) == ("in-7", "pay-7", "sh-7")
    assert script.inputs("write_back")[0].metadata["tracking_number"] == "0034"


async def test_only_what_is_missing_is_written(temporal_client: Client) -> None:
    """The organisation invoices and sends; payment and shipment are ours."""
    order = ORDER.model_copy(update={"own_steps": (OwnStep.INVOICE,)})
    sent = INVOICE.model_copy(update={"status": "sent", "balance": TOTAL})
    script = Script(
        {
            "create_sales_order": order,
            "read_sales_order": order.model_copy(update={"status": "confirmed", "invoices": (sent,)}),
            "find_invoice": sent,
        }
    )
    await carry(temporal_client, script, policy=SHIPS)
    assert script.names()[2:] == [
        "create_sales_order",
        "confirm_sales_order",
        "read_sales_order",
        "find_invoice",
        "record_payment",
        "find_disputes",
        "create_package",
        "create_shipment",
        "write_back",
    ]


async def test_a_late_own_step_is_waited_for_once_and_then_done(temporal_client: Client) -> None:
    """Not there at once: looked at again after the settling time, and written where it still is not there."""
    order = ORDER.model_copy(update={"own_steps": (OwnStep.INVOICE,)})
    script = Script({"create_sales_order": order, "read_sales_order": order.model_copy(update={"status": "confirmed"})})
    await carry(temporal_client, script)
    assert script.names()[2:7] == [
        "create_sales_order",
        "confirm_sales_order",
        "read_sales_order",
        "read_sales_order",
        "create_invoice",
    ]


async def test_own_steps_are_taken_back_though_we_never_wrote_them(temporal_client: Client) -> None:
    """Confirming makes invoice, payment and shipment: their undos stand on the stack before it."""
    order = ORDER.model_copy(update={"own_steps": ALL_STEPS})
    left = RuntimeError("away")
    script = Script({"prepare_order": plans(), **shipped(), "create_sales_order": order, "confirm_sales_order": left})
    async with on_stage(temporal_client, script) as stage:
        handle = await stage.start(stage.payment())
        async with asyncio.timeout(20):
            while "confirm_sales_order" not in script.names():
                await asyncio.sleep(0.02)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    assert [name for name in script.names() if name in UNDONE] == UNDONE[1:]


async def test_refused_shipment_has_the_class_of_a_refusal(temporal_client: Client) -> None:
    """A person hears Zoho's words."""
    refused = ApplicationError("zoho 400: no carrier", {"service": "zoho"}, type="Refused", non_retryable=True)
    trouble = await parked(temporal_client, Script({"create_shipment": refused}), policy=SHIPS)
    assert (trouble.attention_class, trouble.step, trouble.message) == ("zoho_refused", "ship", "zoho 400: no carrier")
