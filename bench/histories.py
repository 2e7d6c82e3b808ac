"""What a run's history tells: what it cost, and when the stock moved and the money was booked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHistory

_STOCK = "mark_invoice_sent"
_PAID = "record_payment"


@dataclass(frozen=True)
class Costs:
    """One run. `actions` as Temporal Cloud bills them, `stored` in bytes; `zoho` counted by the sandbox."""

    events: int
    stored: int
    actions: int
    activities: int
    local: int
    tasks: int
    zoho: int = 0


@dataclass(frozen=True)
class Journey:
    """Seconds since 1970 at which the accounting stock had moved and the payment was on the invoice."""

    stock: float
    paid: float


async def history_of(client: Client, workflow_id: str) -> WorkflowHistory:
    """The whole history."""
    return await client.get_workflow_handle(workflow_id).fetch_history()


def costs_of(history: WorkflowHistory, *, zoho: int = 0) -> Costs:
    """Counts of a history that needed no retry."""
    kinds = Counter(event.event_type for event in history.events)
    activities = kinds[EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED]
    local = [event for event in history.events if _is_local(event)]
    # The run's start and its first signal are one action, all local activities of one task another.
    signals = max(0, kinds[EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED] - 1)
    timers = kinds[EventType.EVENT_TYPE_TIMER_STARTED]
    upserts = kinds[EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES]
    tasks_with_local = {event.marker_recorded_event_attributes.workflow_task_completed_event_id for event in local}
    return Costs(
        events=len(history.events),
        stored=sum(event.ByteSize() for event in history.events),
        actions=1 + signals + activities + timers + upserts + len(tasks_with_local),
        activities=activities,
        local=len(local),
        tasks=kinds[EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED],
        zoho=zoho,
    )


def journey_of(history: WorkflowHistory) -> Journey:
    """When a payment's two writes that people wait for were done. KeyError where they were not."""
    names: dict[int, str] = {}
    done: dict[str, float] = {}
    for event in history.events:
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            names[event.event_id] = event.activity_task_scheduled_event_attributes.activity_type.name
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            scheduled = event.activity_task_completed_event_attributes.scheduled_event_id
            done[names[scheduled]] = event.event_time.ToDatetime(tzinfo=UTC).timestamp()
    return Journey(stock=done[_STOCK], paid=done[_PAID])


def _is_local(event: HistoryEvent) -> bool:
    marker = event.marker_recorded_event_attributes
    return event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED and marker.marker_name == "core_local_activity"
