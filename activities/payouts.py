"""A payout is read, its lines kept, and its certificate issued: Stripe and our own store, no call to Zoho."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from temporalio import activity

from activities.memory import Memory
from activities.remembered import came_back, documents_of
from activities.shops import Shop, Shops
from clients.errors import Refused, TryLater
from domain.canonical import canonical, parse
from domain.certificates import certify
from domain.certified import Certificate
from domain.matching import BookedDocument, Explained, Finding, Matched, explain, match
from domain.money import total
from domain.payouts import Payout, PayoutLine, PayoutStatus
from domain.reconciling import Certified, CertifyInput, PageInput, PageKept, PayoutStanding
from domain.runs import PaymentRef

if TYPE_CHECKING:
    from clients.store import Effects, Payouts

_SHOWN = 5  # sentences that cross Temporal; the certificate has them all


class PayoutActivities:
    """What a payout's run does."""

    def __init__(
        self, shops: Shops, payouts: Payouts, effects: Effects, memory: Memory, now: Callable[[], datetime]
    ) -> None:
        self._shops = shops
        self._payouts = payouts
        self._effects = effects
        self._memory = memory
        self._now = now

    @activity.defn
    async def fetch_payout(self, ref: PaymentRef) -> PayoutStanding:
        """Read how far the payout is."""
        payout = await self._read(ref)
        own_id = payout.own.transaction_id if payout.own else ""
        about = {"money": payout.money, "kind": payout.kind, "status": payout.status, "itemised": payout.itemised}
        ended = payout.status in (PayoutStatus.PAID, PayoutStatus.FAILED, PayoutStatus.CANCELED)
        return PayoutStanding(**about, settled=payout.ready and ended, own_id=own_id)

    @activity.defn
    async def keep_payout_page(self, wanted: PageInput) -> PageKept:
        """Read a page of the payout's lines and keep it; repeated, it replaces itself."""
        stripe = self._shops[wanted.connection].stripe
        page = await stripe.payouts.page(wanted.payment_id, wanted.own_id, wanted.after)
        lines = [line.model_dump_json() for line in page.lines]
        await self._payouts.put_lines(wanted.connection, wanted.payment_id, wanted.place, lines)
        nets = [line.net for line in page.lines]
        net = total(nets, nets[0].currency) if nets else None
        return PageKept(lines=len(lines), net=net, after=page.after)

    @activity.defn
    async def certify_payout(self, wanted: CertifyInput) -> Certified:
        """Match the kept lines with what we remember of their documents, and issue the certificate.

        Repeated without a change it issues none anew.
        """
        explained = await self.explain(wanted)
        if explained is None:
            return Certified(problems=(f"its {wanted.lines} lines are not all kept; retry reads them anew",))
        if explained.fatal:
            return Certified(problems=_said(explained.fatal))
        made = await self._issue(wanted, explained)
        asks, to_book = _said(explained.asks), len(explained.findings) - len(explained.asks)
        return Certified(version=made.certificate.version, hash=made.hash, asks=asks, to_book=to_book)

    async def _read(self, ref: PaymentRef) -> Payout:
        return await self._shops[ref.connection].stripe.payouts.fetch(ref.payment_id)

    async def explain(self, wanted: CertifyInput) -> Explained | None:
        """The payout and its kept lines, matched with what we remember; None where not all of them are kept."""
        found = await self._found(wanted)
        if found is None:
            return None
        payout = await self._read(wanted)
        return await asyncio.to_thread(lambda: explain(payout, *found))

    async def match(self, wanted: CertifyInput) -> Matched | None:
        """The same without the payout: nobody outside is asked."""
        found = await self._found(wanted)
        return None if found is None else await asyncio.to_thread(lambda: match(*found))

    async def _found(
        self, wanted: CertifyInput
    ) -> tuple[list[PayoutLine], list[BookedDocument], frozenset[str]] | None:
        kept = await self._payouts.lines(wanted.connection, wanted.payment_id) if wanted.lines else []
        if len(kept) != wanted.lines:
            return None
        lines = await asyncio.to_thread(lambda: [PayoutLine.model_validate_json(line) for line in kept])
        payments = list(dict.fromkeys(line.payment_id for line in lines if line.payment_id))
        rows = await self._effects.of_many(wanted.connection, payments)
        organization = (await self._memory.catalogue(wanted.connection)).organization
        own = organization.currency if organization else ""
        return lines, list(documents_of(rows, own)), came_back(rows)

    async def _issue(self, wanted: CertifyInput, explained: Explained) -> Certificate:
        connection, payout_id, at = wanted.connection, wanted.payment_id, self._now()
        issued = await self._payouts.versions(connection, payout_id)
        newest = issued[-1] if issued else ""
        made, text = await asyncio.to_thread(_written, explained, self._shops[connection], at, newest)
        version = made.certificate.version
        if not await self._payouts.issue(connection, payout_id, version, made.hash, document=text, at=at):
            raise TryLater("store", f"version {version} of {payout_id} was issued meanwhile")
        return made


def _written(explained: Explained, shop: Shop, at: datetime, newest: str) -> tuple[Certificate, str]:
    """The certificate and its text. Of 10,000 lines it takes seconds: never in the loop."""
    if shop.signer is None:
        fault = "this worker has no signing key; set signing_keys, restart it"
        raise Refused("settings", fault, code="signing_keys")
    before = Certificate.model_validate(parse(newest)) if newest else None
    made = certify(explained, shop.accounts, shop.signer, connection=shop.slug, at=at, previous=before)
    return made, canonical(made.document()).decode()


def _said(findings: tuple[Finding, ...]) -> tuple[str, ...]:
    shown = tuple(one.message for one in findings[:_SHOWN])
    more = len(findings) - len(shown)
    return (*shown, f"and {more} more") if more else shown
