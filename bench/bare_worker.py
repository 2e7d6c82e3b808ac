"""`python -m bench.bare_worker ADDRESS`: a worker for bare workflows, set up as ours is."""

from __future__ import annotations

import asyncio
import sys

from temporalio.worker import Worker

from bench import bare
from cli.ending import run_to_end
from cli.reach import stop_on_signals
from clients.temporal import connect


async def work(address: str) -> None:
    """Works until SIGTERM."""
    stop = stop_on_signals()
    client = await connect(address)
    stories = Worker(client, task_queue=bare.QUEUE, workflows=[bare.BareWorkflow], activities=[bare.nothing])
    calls = Worker(client, task_queue=bare.ZOHO_QUEUE, activities=[bare.nothing])
    async with stories, calls:
        await stop.wait()


def main() -> int:
    """0 after SIGTERM."""
    asyncio.run(work(sys.argv[1]))
    return 0


if __name__ == "__main__":
    run_to_end(main)
