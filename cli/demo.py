"""`throughline demo`: starts everything, tells the story, shows what became of it, and checks it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table

from cli.demo_clerk import Clerk
from cli.demo_house import HOST, DemoPorts, House, environment, open_house
from cli.demo_payout import pay_out
from cli.demo_people import People
from cli.demo_refunds import lost_and_credited, refunded
from cli.demo_table import final_rows, show_final
from cli.demo_telling import LOST, REFUNDED, STAGES, TAKEN_BACK, canceled, follow, tell, told_payments
from cli.exits import Exit, Stop
from cli.ledger_check import Violation, check
from cli.ledgers import Ledgers
from cli.output import Format, say, show_json
from cli.reach import cancel_on_signals
from cli.temporal_setup import NO_LIMITS, Limits


async def run_demo(
    binary: Path, home: Path, ports: DemoPorts, *, once: bool, fresh: bool, unpaced: bool, form: Format
) -> Exit:
    """FAILED where an invariant does not hold; otherwise stays up until Ctrl-C, or ends at `once`."""
    cancel_on_signals()
    checked = False
    try:
        async with open_house(binary, _ground(home, fresh), ports, _limits(unpaced)) as house:
            _tell_addresses(house)
            await tell(house.sandboxes)
            people = await _people(binary, house)
            violations = _report(await _until_done(house, people), form)
            proved = await pay_out(house, people.client)
            checked = True
            if once or violations or not proved:
                return Exit.OK if proved and not violations else Exit.FAILED
            await _stay(house)
    except asyncio.CancelledError:
        say("Stopped." if checked else "Stopped before the story's end; the next demo goes on from here.")
    return Exit.OK


_LAST = (STAGES[-1], TAKEN_BACK, REFUNDED, LOST)


def _limits(unpaced: bool) -> Limits:
    return NO_LIMITS if unpaced else Limits()


def _ground(home: Path, fresh: bool) -> Path:
    """The folder that the demo lives in, as an absolute path, emptied if wanted."""
    if fresh:
        shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True, exist_ok=True)
    return home.absolute()


def _tell_addresses(house: House) -> None:
    say(f"Temporal UI      {house.ui_url}/namespaces/default/workflows")
    say(f"Stripe's ledger  {house.sandboxes.stripe_url}/_ledger")
    say(f"Zoho's ledger    {house.sandboxes.zoho_url}/_ledger")
    say(f"Webhooks         http://127.0.0.1:{house.ports.ingress}/webhooks/stripe/demo")
    say(f"State and logs   {house.home}")
    say("Zoho takes 100 calls a minute from one organisation, and Temporal keeps to that: the story takes a minute.")


async def _people(binary: Path, house: House) -> People:
    from clients.temporal import connect

    address = f"{HOST}:{house.ports.temporal}"
    env = environment(house.home, house.ports)
    return People(binary, address, await connect(address), house.sandboxes, Clerk(house.sandboxes), env)


async def _until_done(house: House, people: People) -> Ledgers:
    """Follows the story with a live table, or with lines where there is no terminal."""
    console = Console(stderr=True)
    seen: dict[str, str] = {}
    with Live(console=console, auto_refresh=False) if console.is_terminal else _Lines() as live:

        def show(ledgers: Ledgers, stages: Mapping[str, str]) -> None:
            _refuse_fallen(house)
            if isinstance(live, Live):
                live.update(_progress(ledgers, stages), refresh=True)
                return
            for payment, stage in stages.items():
                if seen and stage in _LAST and seen.get(payment) != stage:
                    say(f"{payment} {stage} ({sum(s in _LAST for s in stages.values())} of {len(stages)})")
            seen.update(stages)

        async def act(ledgers: Ledgers, stages: Mapping[str, str]) -> None:
            await people.act(told_payments(ledgers.stripe), ledgers, stages)

        return await follow(house.sandboxes, show, act)


class _Lines:
    """Stands where a live table would, for output that is no terminal."""

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *error: object) -> None:
        return None


def _progress(ledgers: Ledgers, stages: Mapping[str, str]) -> Table:
    titles = {payment_id: purchase.shows for purchase, payment_id in told_payments(ledgers.stripe).items()}
    table = Table("Payment", "What it shows", "Stage", box=None)
    for payment, stage in stages.items():
        reached = STAGES.index(stage) + 1 if stage in STAGES else 0
        bar = "●" * reached + "○" * (len(STAGES) - reached)
        table.add_row(payment, titles.get(payment, ""), f"{bar} {stage}")
    return table


def _report(ledgers: Ledgers, form: Format) -> list[Violation]:
    sold = {payment_id: purchase.sold() for purchase, payment_id in told_payments(ledgers.stripe).items()}
    taken_back = canceled(ledgers)
    violations = check(ledgers.stripe, ledgers.zoho, sold, taken_back)
    rows, refunds = final_rows(ledgers), sum(map(len, refunded(ledgers.stripe).values()))
    losses = len(lost_and_credited(ledgers))
    if form is Format.JSON:
        show_json({"payments": rows, "violations": [str(violation) for violation in violations]})
    else:
        show_final(rows)
    for violation in violations:
        say(f"VIOLATED {violation}")
    if not violations:
        say(
            f"Checked {len(rows)} payments: each has one order, one invoice and one payment; totals and fees agree to "
            "the cent; accounting stock moved by what was sold; nothing was invented"
            + (f"; of the {len(taken_back)} that was cancelled nothing stands" if taken_back else "")
            + (f"; each of {refunds} refunds has one credit note, paid out to the cent" if refunds else "")
            + (", and so has the dispute that was lost." if losses else ".")
        )
    return violations


def _refuse_fallen(house: House) -> None:
    for child in house.fallen():
        raise Stop(f"The {child.name} ended with code {child.exit_code}: {child.tail()}\nIts log: {child.log}")


async def _stay(house: House) -> None:
    """Until somebody ends the demo, or one of its programs ends by itself."""
    say("Everything stays up until Ctrl-C. Sell something more:")
    say(f"  curl {house.sandboxes.stripe_url}/_pay -H 'content-type: application/json' \\")
    say('    -d \'{"currency":"eur","lines":[{"sku":"LAMP-01","unit_amount":4900}]}\'')
    while True:
        _refuse_fallen(house)
        await asyncio.sleep(1.0)
