"""`throughline replay`: an event or a payment given to its run once more, by today's code."""

from __future__ import annotations

import sys
import uuid
from datetime import UTC, datetime

import typer
from temporalio.client import Client

from cli.exits import Exit, Stop
from cli.output import Format, say, show_rows
from cli.reach import one_connection, open_store, temporal_client
from cli.runs import connection_is, find_runs, names_of
from cli.waiting import known_class
from clients.connections import Connection
from clients.errors import NotFound
from clients.settings import load_settings
from clients.stripe.gateway import StripeGateway
from domain.runs import PaymentEvent
from domain.sweeps import ALREADY_DONE, Case, Heard
from ingress.starter import Starter
from workflows import contract

# What is said to the run of an id that somebody names: kind -> event's type.
_KINDS = {
    "pi": "payment_intent.succeeded",
    "ch": "charge.succeeded",
    "py": "charge.succeeded",
    "re": "refund.created",
    "pyr": "refund.created",
    "dp": "charge.dispute.created",
    "du": "charge.dispute.created",
    "po": "payout.paid",
}
# A charge may belong to an intent, a refund to either: Stripe is asked.
_CASES = {"pi": Case.PAYMENT, "po": Case.PAYOUT}
_CASE_OF = {"ch": Case.PAYMENT, "py": Case.PAYMENT} | dict.fromkeys(("re", "pyr"), Case.REFUND)
_CASE_OF |= dict.fromkeys(("dp", "du"), Case.DISPUTE)
# What is begun anew by naming it; a change is its event's, and a return a person's in Zoho.
_REPLAYED = (
    contract.PAYMENT_WORKFLOW,
    contract.REFUND_WORKFLOW,
    contract.DISPUTE_WORKFLOW,
    contract.PAYOUT_WORKFLOW,
)
_WITHOUT_SUCCESS = "'Failed', 'Canceled', 'Terminated', 'TimedOut'"
_COLUMNS = {"about": "Closed without success", "type": "Is told"}


async def replay(named: str, name: str, *, queue: str = contract.MAIN_QUEUE) -> Exit:
    """Tells the run of `evt_…`, `pi_…`, `ch_…`, `re_…`, `dp_…` or `po_…`; one that has completed stays as it is.

    Stop for an id of another kind, or an event that Stripe has forgotten. FAILED where the event means nothing to us.
    """
    settings = load_settings()
    connection = one_connection(settings, name)
    starter = Starter(await temporal_client(settings), {connection.slug: connection}, task_queue=queue)
    heard = await _event(connection, starter, named) if named.startswith("evt_") else _named(named)
    if heard is None or heard.case is Case.NOTHING:
        say(f"{named} means nothing to us: {heard.reason if heard else 'it names no proper object'}.")
        return Exit.FAILED
    told = await starter.tell(connection.slug, heard)
    store = await open_store(settings)
    try:
        seen = heard.event
        await store.events.heal(
            connection.slug,
            seen.event_id,
            type=seen.type,
            business_id=heard.about,
            outcome=told,
            at=datetime.now(UTC),
        )
    finally:
        await store.close()
    done = "has completed before, and stays as it is" if told == ALREADY_DONE else "was told"
    say(f"The run of {heard.about} {done}.")
    return Exit.OK


async def replay_failed(
    name: str, attention_class: str, *, dry_run: bool, sure: bool, queue: str = contract.MAIN_QUEUE
) -> Exit:
    """Begins every run anew that closed without success, of one class or of any; what has completed stays as it is.

    They are shown first. FAILED where one could not be told.
    """
    settings = load_settings()
    connection = one_connection(settings, name)
    client = await temporal_client(settings)
    starter = Starter(client, {connection.slug: connection}, task_queue=queue)
    lacking = await _failed(client, starter, connection, attention_class)
    if not lacking:
        say("No run has closed without success" + (f" after {attention_class}." if attention_class else "."))
        return Exit.OK
    show_rows([{"about": one.about, "type": one.event.type} for one in lacking], _COLUMNS, Format.TABLE)
    if dry_run:
        say(f"{len(lacking)} would be begun anew. Nothing was done.")
        return Exit.OK
    _confirm(len(lacking), sure)
    told = [await starter.tell(connection.slug, one) for one in lacking]
    say(f"{len(told)} were begun anew; throughline exceptions list shows what waits again.")
    return Exit.OK


async def _failed(client: Client, starter: Starter, connection: Connection, attention_class: str) -> list[Heard]:
    """What those runs are about, whose newest one is closed and did not complete, the oldest first."""
    clauses = [*connection_is(connection.slug), f"ExecutionStatus IN ({_WITHOUT_SUCCESS})"]
    if attention_class:
        clauses += [f"{contract.ATTENTION_CLASS.name} = '{known_class(attention_class)}'"]
    runs = await find_runs(client, clauses, kinds=_REPLAYED)
    abouts = list(dict.fromkeys(names_of(run)[1] for run in reversed(runs)))
    heard = [_named(about) for about in abouts]
    # A case is named by its own run here, and asked of Stripe when it is told.
    cases = [one.model_copy(update={"case": _CASE_OF.get(one.about.partition("_")[0], one.case)}) for one in heard]
    seen = await starter.runs(connection.slug, cases) if cases else []
    return [one for one, run in zip(heard, seen, strict=True) if run is None or not (run.open or run.succeeded)]


def _confirm(count: int, sure: bool) -> None:
    if sure:
        return
    if not sys.stdin.isatty():
        raise Stop("Nothing was begun: nobody can be asked here, so add --yes.", Exit.USAGE)
    if not typer.confirm(f"Begin {count} anew?", err=True):
        raise Stop("Nothing was begun.")


async def _event(connection: Connection, starter: Starter, event_id: str) -> Heard | None:
    gateway = StripeGateway(connection.stripe, connection.mapping)
    try:
        return starter.hear(connection.slug, await gateway.history.event(event_id))
    except NotFound:
        raise Stop(
            f"Stripe does not know {event_id} in this account; it keeps events for 30 days. Name its payment instead: "
            "throughline replay pi_…"
        ) from None
    finally:
        await gateway.close()


def _named(object_id: str) -> Heard:
    """What a person says of a payment, refund, dispute or payout: that it began. Its run reads the rest from Stripe."""
    prefix = object_id.partition("_")[0]
    kind = _KINDS.get(prefix)
    if kind is None:
        raise Stop(f"{object_id!r} is none of evt_…, pi_…, ch_…, re_…, dp_… and po_….", Exit.USAGE)
    event = PaymentEvent(
        event_id=f"replay_{uuid.uuid4().hex}", type=kind, object_id=object_id, created=datetime.now(UTC)
    )
    case = _CASES.get(prefix, Case.UNNAMED)
    payment = object_id if case is Case.PAYMENT else ""
    return Heard(event=event, case=case, about=object_id, payment_id=payment)
