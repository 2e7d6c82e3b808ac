"""Refunds, disputes and payouts at a real Temporal: one run each, which only another end opens again."""

from __future__ import annotations

import json
import uuid
from collections.abc import Awaitable, Callable

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from domain.runs import PaymentEvent
from ingress.door import Started
from ingress.starter import Starter
from tests.ingress.conftest import told_in
from tests.ingress.deliveries import NOW, SLUG
from tests.ingress.runs import OneDispute, OnePayout, OneRefund
from workflows import contract


def about_case(kind: str, case_id: str, *changed: str) -> PaymentEvent:
    """An event of a refund or a dispute."""
    event_id = f"evt_{uuid.uuid4().hex}"
    return PaymentEvent(event_id=event_id, type=kind, object_id=case_id, created=NOW, changed=changed)


Tell = Callable[[Starter, str, PaymentEvent], Awaitable[Started]]
CASES: list[tuple[str, str, str, Tell]] = [
    (
        contract.REFUND_WORKFLOW,
        "re",
        "refund.created",
        lambda one, case, seen: one.refund_event(SLUG, case, "pi_1", seen),
    ),
    (
        contract.DISPUTE_WORKFLOW,
        "du",
        "charge.dispute.created",
        lambda one, case, seen: one.dispute_event(SLUG, case, "pi_1", seen),
    ),
]


def run_id(case_id: str) -> str:
    """The id of a refund's or a dispute's runs."""
    make = contract.refund_workflow_id if case_id.startswith("re_") else contract.dispute_workflow_id
    return make(SLUG, case_id)


@pytest.mark.parametrize(("workflow", "prefix", "kind", "tell"), CASES, ids=["refund", "dispute"])
async def test_the_events_of_a_case_meet_in_one_run(
    temporal_client: Client, starter: Starter, workflow: str, prefix: str, kind: str, tell: Tell
) -> None:
    """A refund and a dispute each have a run, which knows its payment and hears every event, repeated ones too."""
    case = f"{prefix}_{uuid.uuid4().hex}"
    first, second = about_case(kind, case), about_case(kind, case)
    for seen in (first, second, second):
        assert await tell(starter, case, seen) is Started.ACCEPTED
    handle = temporal_client.get_workflow_handle(run_id(case))
    described, history = await handle.describe(), await handle.fetch_history()
    assert described.workflow_type == workflow
    assert {case, "pi_1"} <= set(described.typed_search_attributes[contract.BUSINESS_IDS])
    started = history.events[0].workflow_execution_started_event_attributes
    given = json.loads(started.input.payloads[0].data)
    assert {given["payment_id"], given.get("refund_id"), given.get("dispute_id")} >= {"pi_1", case}
    assert told_in(history) == [first.event_id, second.event_id, second.event_id]


ENDS = [
    ("refund.created", (), False),
    ("refund.updated", ("metadata.note",), False),
    ("refund.updated", ("status",), True),
    ("charge.refund.updated", ("status",), True),
    ("refund.failed", ("status", "failure_reason"), True),
    ("v1.refund.failed", (), True),
    ("charge.dispute.created", (), False),
    ("charge.dispute.updated", ("evidence",), False),
    ("charge.dispute.updated", ("status",), True),
    ("charge.dispute.funds_withdrawn", (), True),
    ("charge.dispute.funds_reinstated", (), True),
    ("charge.dispute.closed", ("status",), True),
    ("v1.charge.dispute.closed", (), True),
]


@pytest.mark.parametrize(("kind", "changed", "again"), ENDS, ids=[f"{one[0]}-{'-'.join(one[1])}" for one in ENDS])
async def test_a_closed_case_is_opened_again_for_another_end(
    temporal_client: Client, starter: Starter, task_queue: str, kind: str, changed: tuple[str, ...], again: bool
) -> None:
    """A refund that fails weeks after its run has completed is heard; an event that only repeats is not a new run."""
    refund = "refund" in kind
    (_, prefix, opening, tell) = CASES[0 if refund else 1]
    case = f"{prefix}_{uuid.uuid4().hex}"
    handle = temporal_client.get_workflow_handle(run_id(case))
    async with Worker(temporal_client, task_queue=task_queue, workflows=[OneRefund, OneDispute]):
        await tell(starter, case, about_case(opening, case))
        await handle.result()
        first = (await handle.describe()).run_id
        outcome = await tell(starter, case, about_case(kind, case, *changed))
        await handle.result()
    assert outcome is (Started.ACCEPTED if again else Started.ALREADY_DONE)
    assert ((await handle.describe()).run_id != first) is again


async def test_a_payout_has_one_run_that_a_failure_opens_again(
    temporal_client: Client, starter: Starter, task_queue: str
) -> None:
    """Paid and reconciled meet in it; once it is certified only a failure begins the next."""
    payout = f"po_{uuid.uuid4().hex}"
    handle = temporal_client.get_workflow_handle(contract.payout_workflow_id(SLUG, payout))

    async def tell(kind: str) -> Started:
        return await starter.payout_event(SLUG, payout, about_case(kind, payout))

    assert await tell("payout.paid") is Started.ACCEPTED
    assert await tell("payout.reconciliation_completed") is Started.ACCEPTED
    described = await handle.describe()
    assert described.workflow_type == contract.PAYOUT_WORKFLOW
    assert described.typed_search_attributes[contract.BUSINESS_IDS] == [payout]
    async with Worker(temporal_client, task_queue=task_queue, workflows=[OnePayout]):
        assert await handle.result() == payout
        assert await tell("payout.paid") is Started.ALREADY_DONE
        assert await tell("payout.reconciliation_completed") is Started.ALREADY_DONE
        assert await tell("payout.failed") is Started.ACCEPTED
        assert await handle.result() == payout
    assert (await handle.describe()).run_id != described.run_id


BEGINNINGS = ("refund.created", "charge.dispute.created")


@pytest.mark.parametrize(
    ("kind", "changed", "again"),
    [*((kind, changed, again or kind in BEGINNINGS) for kind, changed, again in ENDS), ("charge.refunded", (), False)],
)
async def test_a_case_that_a_person_ended_is_not_begun_by_the_way(
    temporal_client: Client, starter: Starter, kind: str, changed: tuple[str, ...], again: bool
) -> None:
    """Aborted, it was booked by hand: a reference that the bank adds days later, or another refund, begins nothing."""
    (_, prefix, opening, tell) = CASES[0 if "refund" in kind else 1]
    case = f"{prefix}_{uuid.uuid4().hex}"
    await tell(starter, case, about_case(opening, case))
    handle = temporal_client.get_workflow_handle(run_id(case))
    await handle.terminate("aborted")
    outcome = await tell(starter, case, about_case(kind, case, *changed))
    assert outcome is (Started.ACCEPTED if again else Started.ALREADY_DONE)
