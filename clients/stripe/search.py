"""Where a payment's lines are found: the session, the invoice, the intent's details, its metadata."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import TYPE_CHECKING, Any

import stripe

from clients.stripe import lines as paid
from clients.stripe.facts import FoundLines
from clients.stripe.failures import translated
from clients.stripe.raw import Raw, part, parts, reference, text, words
from domain.mapping_policy import MappingPolicy
from domain.payments import LineSource

if TYPE_CHECKING:
    from stripe.params._invoice_payment_list_params import InvoicePaymentListParamsPayment

PAGE = 100


class LineFinder:
    """Asks Stripe for the lines of one paid intent, source by source, until one has them."""

    def __init__(self, client: stripe.StripeClient, mapping: MappingPolicy) -> None:
        self._client = client
        self._mapping = mapping

    async def find(self, intent: Raw) -> FoundLines:
        """The first source that has lines, in the order that says most about them."""
        return (
            await self._in_checkout(intent)
            or await self._in_invoice(intent)
            or await self._in_details(intent)
            or in_metadata(intent)
        )

    async def _in_checkout(self, intent: Raw) -> FoundLines | None:
        sessions = self._client.v1.checkout.sessions
        listing = sessions.list_async(
            {"payment_intent": text(intent, "id"), "limit": 1, "expand": ["data.shipping_cost.taxes"]}
        )
        session = await first(listing)
        if session is None:
            return None
        rows = await every(
            sessions.line_items.list_async(
                text(session, "id"), {"limit": PAGE, "expand": ["data.price.product", "data.taxes"]}
            )
        )
        return FoundLines(
            LineSource.CHECKOUT,
            paid.checkout_lines(rows, self._mapping),
            paid.shipping_cost(session, text(session, "currency")),
            session=session,
        )

    async def _in_invoice(self, intent: Raw) -> FoundLines | None:
        by_intent: InvoicePaymentListParamsPayment = {
            "type": "payment_intent",
            "payment_intent": text(intent, "id"),
        }
        listing = self._client.v1.invoice_payments.list_async(
            {"payment": by_intent, "limit": 1, "expand": ["data.invoice.shipping_cost.taxes"]}
        )
        payment = await first(listing)
        if payment is None:
            return None
        invoice, invoice_id = part(payment, "invoice"), reference(payment, "invoice")
        rows = await every(
            self._client.v1.invoices.line_items.list_async(
                invoice_id, {"limit": PAGE, "expand": ["data.pricing.price_details.price"]}
            )
        )
        products = await self._products({paid.product_of(row) for row in rows} - {""})
        rates = await self._tax_rates(paid.tax_rate_ids(rows), invoice)
        return FoundLines(
            LineSource.INVOICE,
            paid.invoice_lines(rows, self._mapping, products, rates),
            paid.shipping_cost(invoice, text(invoice, "currency")),
            invoice=invoice,
        )

    async def _products(self, ids: Iterable[str]) -> dict[str, Raw]:
        """Products by id: Stripe expands four levels, one too few to have them inside an invoice's lines."""
        retrieve = self._client.v1.products.retrieve_async
        return {product_id: await answer(retrieve(product_id)) for product_id in sorted(ids)}

    async def _tax_rates(self, ids: Iterable[str], invoice: Raw) -> dict[str, Raw]:
        """Tax rates by id; those the invoice shows by itself cost no request."""
        found = {text(rate, "id"): rate for rate in parts(invoice, "default_tax_rates")}
        for rate_id in sorted(set(ids) - found.keys()):
            found[rate_id] = await answer(self._client.v1.tax_rates.retrieve_async(rate_id))
        return found

    async def _in_details(self, intent: Raw) -> FoundLines | None:
        listing = self._client.v1.payment_intents.amount_details_line_items.list_async(
            text(intent, "id"), {"limit": PAGE}
        )
        if not (rows := await every(listing)):
            return None
        lines = paid.detail_lines(rows, text(intent, "currency"))
        return FoundLines(LineSource.AMOUNT_DETAILS, lines, paid.detail_shipping(intent))


async def answer(asking: Awaitable[stripe.StripeObject], *, write: bool = False) -> Raw:
    """The answer to one request as plain data."""
    with translated(write=write):
        return (await asking).to_dict()


async def first(listing: Awaitable[stripe.ListObject[Any]]) -> Raw | None:
    """The first row of a list, None where it is empty. One request."""
    with translated(write=False):
        rows = (await listing).data
    return rows[0].to_dict() if rows else None


async def every(listing: Awaitable[stripe.ListObject[Any]]) -> list[Raw]:
    with translated(write=False):
        return [row.to_dict() async for row in (await listing).auto_paging_iter()]


def in_metadata(owner: Raw) -> FoundLines:
    """The lines that the shop wrote into the metadata of an intent or charge, or none."""
    lines = paid.metadata_lines(words(owner), text(owner, "currency"))
    return FoundLines(LineSource.METADATA if lines else LineSource.NONE, lines)
