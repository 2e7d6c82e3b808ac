"""`throughline up`: ingress and workers as child processes, or all in this one."""

from __future__ import annotations

import asyncio
import sys

from cli.children import Child
from cli.exits import Exit, Stop
from cli.output import say
from cli.reach import stop_on_signals, temporal_client
from clients.connections import load_connections
from clients.settings import Settings, ensure_keys, load_settings

PARTS = ("worker", "ingress")
GRACE = 60.0  # seconds until a part that does not end by itself is killed


async def run_up(*, only: str, workers: int, in_process: bool) -> Exit:
    """Runs what is asked until SIGTERM or Ctrl-C. FAILED where a part ended by itself."""
    if only and only not in PARTS:
        raise Stop(f"--only takes {' or '.join(PARTS)}, not {only!r}.", Exit.USAGE)
    settings = load_settings()
    connections = load_connections(settings.connections_file)  # refused here, once, rather than by every part
    if not (settings.keys.get_secret_value() or settings.keys_file):
        ensure_keys(settings.home)
    stop = stop_on_signals()
    say(f"Serving {', '.join(connections)} with Temporal at {settings.temporal_address}.")
    if in_process or only:
        from clients.telemetry import configure_logging

        configure_logging(settings.log_level, form=settings.log_format)
        await _run_here((only,) if only else PARTS, settings, stop)
        return Exit.OK
    return await _run_children(workers, stop)


async def _run_here(parts: tuple[str, ...], settings: Settings, stop: asyncio.Event) -> None:
    """The parts in this process; the first that fails ends the others, and its error is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for part in parts:
                group.create_task(_run_part(part, settings, stop))
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from failures


async def _run_part(part: str, settings: Settings, stop: asyncio.Event) -> None:
    if part == "worker":
        from worker import run_worker

        await temporal_client(settings)  # says it in a sentence where Temporal is away
        await run_worker(settings, stop=stop)
    else:
        from ingress.run import run_ingress

        await run_ingress(settings, stop=stop)


async def _run_children(workers: int, stop: asyncio.Event) -> Exit:
    """One process a part; when one ends by itself the others are ended too, for a supervisor to see."""
    names = ["ingress", *["worker"] * workers]
    children = [Child.spawn(name, part_command(name)) for name in names]
    stopped = asyncio.create_task(stop.wait())
    ends = {asyncio.create_task(child.wait()): child for child in children}
    done, _ = await asyncio.wait([stopped, *ends], return_when=asyncio.FIRST_COMPLETED)
    fallen = [ends[task] for task in done if task in ends]
    for child in fallen:
        say(f"The {child.name} ended by itself with code {child.exit_code}; ending the others.")
    await asyncio.gather(*(child.stop(GRACE) for child in children))
    stopped.cancel()
    return Exit.FAILED if fallen else Exit.OK


def part_command(part: str) -> list[str]:
    """The command line of one part as a process of its own."""
    return [sys.executable, "-m", "cli.main", "up", "--only", part]
