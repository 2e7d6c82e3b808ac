"""The demo's lost webhooks: a payment that Stripe tells nobody of, and the sweep that finds it."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

from cli.exits import CannotStart
from cli.output import say
from cli.story import Purchase

_BEFORE_A_RUN = "announced"


def may_sweep(told: Mapping[Purchase, str], stages: Mapping[str, str]) -> bool:
    """Whether only what nobody was told of still stands at the beginning: then people wonder, and look."""
    unheard = {payment for purchase, payment in told.items() if purchase.unheard}
    return all(stage != _BEFORE_A_RUN or payment in unheard for payment, stage in stages.items())


async def swept(payment_id: str, env: Mapping[str, str]) -> bool:
    """Whether our own `sweep`, shown as a person would type it, has found the payment. CannotStart where it failed."""
    say(f"{payment_id} is paid, and all of its webhooks were lost on their way. Nobody knows of it, so:")
    # A sweep leaves out the last minute, whose webhooks may still be on their way; the demo knows that none is.
    words = ["sweep", "--to", datetime.now(UTC).isoformat(timespec="seconds")]
    say(f"  $ throughline {shlex.join(words)}")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli.main", *words, "--output", "json"),
        env=dict(env),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    if process.returncode:
        raise CannotStart(f"throughline sweep failed: {err.decode(errors='replace').strip()}")
    found = {(gap["why"], gap["source"]) for gap in json.loads(out)["gaps"] if gap["about"] == payment_id}
    for why, source in sorted(found):  # several of its events were missed, mostly for the same reason
        say(f"  {payment_id} was missed ({why}), seen in Stripe's {source}: its run is started.")
    return bool(found)
