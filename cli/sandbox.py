"""`throughline sandbox`: both sandbox programs in one process, with a shop to sell from if wanted."""

from __future__ import annotations

from pathlib import Path

from cli.exits import Exit
from cli.output import say
from cli.ports import ensure_free
from cli.reach import stop_on_signals
from cli.shop import ACCOUNT, MINUTE, open_shop
from sandbox.serving import serve
from sandbox.stripe.app import make_app as stripe_app
from sandbox.zoho.app import make_app as zoho_app


async def run_sandbox(
    host: str,
    stripe_port: int,
    zoho_port: int,
    *,
    state: Path | None,
    connections: Path | None,
    webhook_url: str,
    per_minute: int = MINUTE,
) -> Exit:
    """Serves both until SIGTERM or Ctrl-C. PortBusy names the port and its option."""
    stop = stop_on_signals()
    ensure_free(host, stripe_port, what="the Stripe sandbox", option="--stripe-port")
    ensure_free(host, zoho_port, what="the Zoho sandbox", option="--zoho-port")
    files = (state / "stripe.db", state / "zoho.db") if state else (None, None)
    stripe = await serve(stripe_app(accounts=(ACCOUNT,), state=files[0]), host, stripe_port)
    zoho = await serve(zoho_app(state=files[1]), host, zoho_port)
    try:
        say(f"Stripe sandbox at {stripe.url}, Zoho sandbox at {zoho.url}; each has /_ledger, /_faults, /_switches.")
        if connections is not None:
            await open_shop(
                stripe.url, zoho.url, webhook_url=webhook_url, connections=connections, per_minute=per_minute
            )
            say(f"A shop is open; its connection is in {connections}. Next: throughline up")
        await stop.wait()
    finally:
        await zoho.stop()
        await stripe.stop()
    return Exit.OK
