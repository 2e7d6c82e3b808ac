"""The demo's end: Stripe pays out what it holds, and the payout's certificate is checked by the file alone."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
import time
from pathlib import Path

from temporalio.client import Client, WorkflowFailureError
from temporalio.service import RPCError

from cli.demo_house import House, environment
from cli.ledgers import Sandboxes
from cli.output import say
from cli.shop import SLUG
from domain.attention import Trouble
from domain.money import Money
from workflows import contract

PATIENCE = 60.0  # seconds for a payout to be paid, reconciled and certified; it takes about two


async def pay_out(house: House, client: Client) -> bool:
    """Whether the payout's certificate verifies. A payout that an earlier demo made is shown again."""
    payout_id = await _payout(house.sandboxes)
    if why := await _why_not_certified(client, payout_id):
        say(f"{payout_id} is not certified: {why}. See: temporal workflow show --workflow-id {_run_of(payout_id)}")
        return False
    file = house.home / f"{payout_id}.json"
    (_, key), _ = await asyncio.gather(
        _throughline(house, "payouts", "keys", "-o", "json"),
        _throughline(house, "payouts", "show", payout_id, "--to", str(file)),
    )
    command = ["payouts", "verify", str(file), "--key", json.loads(key)[0]["public"]]
    code, said = await _throughline(house, *command)
    say(f"Its certificate is {file}, and it verifies without us, store or network:" if not code else said)
    say(f"  $ throughline {shlex.join(command)}")
    return not code


async def _payout(sandboxes: Sandboxes) -> str:
    """The story's one payout, of all that Stripe holds."""
    made = (await sandboxes.ledgers()).stripe["payouts"]
    payout = made[0] if made else await sandboxes.pay_out()
    money = Money.of(payout["amount"], payout["currency"])
    say(f"Stripe pays out what it holds: {payout['id']}, {money}, charges, fees, refunds and a lost dispute in it.")
    return str(payout["id"])


def _run_of(payout_id: str) -> str:
    return contract.payout_workflow_id(SLUG, payout_id)


async def _why_not_certified(client: Client, payout_id: str) -> str:
    """Waits for the payout's run to end; "" where it did, with a certificate."""
    handle = client.get_workflow_handle(_run_of(payout_id))
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            await asyncio.wait_for(handle.result(), 2)
            return ""
        except WorkflowFailureError as failure:
            return str(failure.cause)
        except TimeoutError:
            said = await handle.query(contract.TROUBLE)
            if said:
                return Trouble.model_validate(said).message
        except RPCError:  # no run yet
            await asyncio.sleep(0.1)
    return f"nothing has come of it within {PATIENCE:.0f} s"


async def _throughline(house: House, *arguments: str) -> tuple[int, str]:
    """A command of ours, in the demo's own settings: its exit code, and what it wrote."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.main", *arguments, cwd=Path(__file__).parent.parent,
        env=environment(house.home, house.ports), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode(errors="replace").strip()
