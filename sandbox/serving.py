"""A sandbox program on a port of its own, started and stopped by whoever needs it."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web


class PortBusy(OSError):
    """The address to listen on belongs to another program."""


@dataclass(frozen=True)
class Running:
    """A served application: `url` without a slash at its end, and `stop`."""

    url: str
    runner: web.AppRunner

    async def stop(self) -> None:
        """Ends listening and every open connection within a second."""
        await self.runner.cleanup()


async def serve(app: web.Application, host: str = "127.0.0.1", port: int = 0) -> Running:
    """Serves `app`; port 0 takes a free one. PortBusy where the port is taken."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    try:
        await site.start()
    except OSError as error:
        await runner.cleanup()
        raise PortBusy(error.errno, f"{host}:{port} cannot be listened on: {error.strerror}") from error
    bound = runner.addresses[0]
    name = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
    return Running(url=f"http://{name}:{bound[1]}", runner=runner)
