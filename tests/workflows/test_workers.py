"""The workers of a process: what they take at once, and what they leave to the server to hand out."""

from __future__ import annotations

from temporalio import activity
from temporalio.client import Client

from activities.assembly import Activities
from workflows.workers import make_workers


@activity.defn
async def do_nothing() -> None:
    """Something to poll for."""


async def test_shops_take_turns_at_the_server_and_not_in_the_worker(temporal_client: Client) -> None:
    """Few stories are taken at once, and no activity is begun past the server, which counts each shop's a second."""
    built = Activities(main=[do_nothing], zoho=[do_nothing], bulk=[do_nothing])
    main, *others = make_workers(temporal_client, built, queues=("stories", "calls"))
    told = main.config()
    assert told["disable_eager_activity_execution"] is True
    assert 2 < (told["max_concurrent_workflow_tasks"] or 100) <= 20
    assert [other.config()["task_queue"] for other in others] == ["calls", "calls-bulk"]
    assert all(not other.config()["workflows"] for other in others)
