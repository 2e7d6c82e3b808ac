"""`throughline payouts month`: a month of the clearing account, read from Stripe and our store, and added up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import ValidationError
from rich.console import Console

from cli.exits import CannotStart, Exit, Stop
from cli.month_page import print_pdf, to_page
from cli.month_tables import show_month
from cli.month_text import to_csv, verdict
from cli.output import Format, say, show_json, write_out
from cli.reach import one_connection, open_store, temporal_client, zoho_client
from cli.waiting import Selection, find_waiting
from clients.connections import Connection
from clients.settings import Settings, load_settings, read_signing_keys
from clients.signing import SigningRing, signed_by
from clients.store import Store
from clients.stripe.gateway import StripeGateway
from clients.stripe.payouts import StripePayouts
from domain.canonical import NotCanonical, parse
from domain.certified import Certificate
from domain.closing import add_up
from domain.money import Money
from domain.months import Month, MonthSpan, NoMonth, OpenItem, month_of
from domain.open_items import open_items, payout_of, waiting_item
from domain.payouts import Payout, PayoutLine
from domain.verification import verify

_TRIES = 3  # of a statement that changed while it was read
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Wanted:
    """Which month of which connection, and where it is to be written besides the terminal."""

    name: str = ""
    connection: str = ""
    html: Path | None = None
    pdf: Path | None = None
    csv: Path | None = None
    browser: str = ""


@dataclass
class Statement:
    """What Stripe says of the month: each row of it, and what it held at the end, by currency."""

    rows: list[PayoutLine] = field(default_factory=list)
    closing: dict[str, Money] = field(default_factory=dict)


@dataclass
class Proofs:
    """The certificates that have rows of the month, by payout; `flaws`: why one of them does not verify."""

    certificates: dict[str, Certificate] = field(default_factory=dict)
    flaws: dict[str, tuple[str, ...]] = field(default_factory=dict)


async def month(wanted: Wanted, form: Format) -> Exit:
    """Shows the month and writes what is wanted. FAILED where it does not add up, or a payout of it is not proved."""
    settings = load_settings()
    connection = one_connection(settings, wanted.connection)
    made = await _made(settings, connection, wanted.name)
    for path, text in ((wanted.html, to_page), (wanted.csv, to_csv)):
        if path is not None:
            write_out(text(made), path)
            say(f"Written: {path}")
    if wanted.pdf is not None:
        await asyncio.to_thread(print_pdf, made, wanted.pdf, wanted.browser)
        say(f"Written: {wanted.pdf}")
    if form is Format.JSON:
        show_json(made.model_dump(mode="json", exclude={"moves"}) | {"verdict": verdict(made)})
    else:
        show_month(made)
    return Exit.OK if made.balanced and made.proved else Exit.FAILED


async def _made(settings: Settings, connection: Connection, name: str) -> Month:
    async with AsyncExitStack() as stack:
        store = await open_store(settings)
        stack.push_async_callback(store.close)
        now = datetime.now(UTC)
        zone = await zone_of(connection, store)
        try:
            span = month_of(name, zone, now)
        except NoMonth as error:
            raise Stop(f"{error}.", Exit.USAGE) from None
        stripe = StripeGateway(connection.stripe, connection.mapping)
        stack.push_async_callback(stripe.close)
        status = stack.enter_context(Console(stderr=True).status(f"Reading {span.name} of {connection.slug} at Stripe"))
        return await read_month(settings, connection, store, stripe.payouts, span, now, status.update)


async def zone_of(connection: Connection, store: Store) -> str:
    """The setting, else what is known of the Zoho organisation, which is asked where nothing is."""
    if connection.time_zone:
        return connection.time_zone
    known = await store.budgets.read(connection.zoho.organization_id)
    if known is not None and known.time_zone:
        return known.time_zone
    async with zoho_client(connection, store) as zoho:
        return (await zoho.get_organization()).time_zone


async def read_month(
    settings: Settings,
    connection: Connection,
    store: Store,
    stripe: StripePayouts,
    span: MonthSpan,
    now: datetime,
    tell: Tell,
) -> Month:
    """The month as it is now; `tell` hears how far the reading is."""
    statement = await read_statement(stripe, span, tell)
    payouts = await _payouts(stripe, span, now)
    mine = [one for one in payouts if span.holds(one.created)]
    proofs = await _proofs(store, connection.slug, payouts, statement, span, read_signing_keys(settings), tell)
    added = add_up(span, statement.rows, statement.closing, proofs.certificates.values(), mine)
    found = [(one, proofs.certificates.get(one.payout_id), proofs.flaws.get(one.payout_id, ())) for one in mine]
    shown = [payout_of(*each) for each in found]
    certificates = [certificate for _, certificate, _ in found if certificate is not None]
    items = [*open_items(shown, certificates)]
    waiting, unseen = await _waiting(settings, connection, span, items)
    return Month(
        connection=connection.slug,
        span=span,
        made_at=now,
        payouts=tuple(shown),
        balances=added.balances,
        discrepancies=added.discrepancies,
        open=(*items, *waiting),
        moves=added.moves,
        unseen=unseen,
    )


async def read_statement(stripe: StripePayouts, span: MonthSpan, tell: Tell) -> Statement:
    """Back from what Stripe holds now. Money that moves meanwhile shows in the balance: it is read again. Stop where
    it does not rest.
    """
    for _ in range(_TRIES):
        before = await stripe.held()
        made, after, more = Statement(closing=dict(before)), "", True
        count = 0
        while more:
            page = await stripe.statement(span.begin, after)
            for row in page.lines:
                if row.at < span.end:
                    made.rows.append(row)
                else:
                    nothing = row.net.zero()
                    made.closing[row.net.currency] = made.closing.get(row.net.currency, nothing) - row.net
            count, after = count + len(page.lines), page.after
            more = bool(after)
            tell(f"Read {count} rows of Stripe's balance")
        if await stripe.held() == before:
            return made
    raise Stop("Stripe's balance moved each time that it was read: try again in a moment.")


async def _payouts(stripe: StripePayouts, span: MonthSpan, now: datetime) -> list[Payout]:
    """All that were made from the month on, the oldest first: those of later months have rows of this one."""
    found: list[Payout] = []
    after, more = "", True
    while more:
        page = await stripe.made(span.begin, now + timedelta(seconds=1), after)
        found += page.payouts
        after = page.after
        more = bool(after)
    return sorted(found, key=lambda one: (one.created, one.payout_id))


async def _proofs(
    store: Store,
    slug: str,
    payouts: list[Payout],
    statement: Statement,
    span: MonthSpan,
    ring: SigningRing,
    tell: Tell,
) -> Proofs:
    """The newest certificate of each payout of the month, and of later ones until every row has been found."""
    proofs, left = Proofs(), {row.transaction_id for row in statement.rows}
    for number, payout in enumerate(payouts, 1):
        mine = span.holds(payout.created)
        if not mine and not left:
            break
        tell(f"Checking certificate {number} of {len(payouts)}")
        text = await store.payouts.newest(slug, payout.payout_id)
        if text is None:
            continue
        certificate, flaws = await asyncio.to_thread(_checked, text, ring)
        if certificate is not None and (mine or not flaws):
            proofs.certificates[payout.payout_id] = certificate
            left -= {line.transaction for line in certificate.lines} | {certificate.certificate.payout.transaction}
        proofs.flaws[payout.payout_id] = flaws
    return proofs


def _checked(text: str, ring: SigningRing) -> tuple[Certificate | None, tuple[str, ...]]:
    """A certificate, None where it cannot be read, and what is wrong with it. It has to be signed by a key of ours."""
    try:
        certificate = Certificate.model_validate(parse(text))
    except (NotCanonical, ValidationError):
        return None, ("it cannot be read",)
    trusted = ring.public_keys().get(certificate.signature.key_id, ring.public_key)
    verdict = verify(text, signed_by, trusted=trusted)
    return certificate if verdict.payout_id else None, tuple(str(flaw) for flaw in verdict.flaws)


async def _waiting(
    settings: Settings, connection: Connection, span: MonthSpan, known: list[OpenItem]
) -> tuple[list[OpenItem], tuple[str, ...]]:
    """The runs that began before the month's end and wait for a person."""
    try:
        client = await temporal_client(settings)
        waiting = await find_waiting(client, Selection(connection=connection.slug))
    except CannotStart as error:
        return [], (f"Runs that wait for a person were not looked at: {error}",)
    found, silent = [], 0
    for one in waiting:
        if one.run.start_time >= span.end:
            continue
        silent += one.trouble is None
        if one.trouble is not None:
            trouble = one.trouble
            about = (one.payment, one.carried, trouble.attention_class.value, trouble.message, trouble.at_risk)
            found.append(waiting_item(*about, known))
    unheard = (f"{silent} runs that wait could not be asked: is a worker running?",) if silent else ()
    return found, unheard
