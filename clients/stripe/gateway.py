"""One Stripe account through the official SDK: payments read as facts, ids resolved, metadata written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass

import httpx
import stripe

from clients.connections import StripeAccount
from clients.errors import Refused
from clients.stripe.disputes import StripeDisputes
from clients.stripe.facts import FoundLines, charge_facts, charge_fee, intent_facts, intent_status
from clients.stripe.failures import translated
from clients.stripe.history import StripeHistory
from clients.stripe.moves import shaped
from clients.stripe.pace import Pace, pace_of
from clients.stripe.payouts import StripePayouts
from clients.stripe.raw import Raw, part, reference, text, words
from clients.stripe.refunds import StripeRefunds
from clients.stripe.search import LineFinder, answer, first, in_metadata
from clients.stripe.transport import StripeHttp
from clients.watch import UNWATCHED, Watch
from domain.mapping_policy import MappingPolicy
from domain.payments import Fee, PaymentFacts, PaymentStatus
from domain.policy import ORDER_ID_KEY

# Pinned here and not left to the SDK: webhook endpoints have to be made with the same version.
STRIPE_VERSION = "2026-10-28.endive"
TIMEOUT = httpx.Timeout(20.0, connect=5.0)


@dataclass(frozen=True)
class StripeAccountInfo:
    """Whose key it is. `livemode` is the key's; `default_currency` is upper case."""

    id: str
    livemode: bool
    country: str
    default_currency: str


class StripeGateway:
    """Reads one account's payments, `refunds`, `disputes`, `payouts` and `history`.

    Raises ClientErrors and UnknownCurrency.


    It writes metadata, makes refunds and lets go of money that was only authorised; nothing else.

    Requests of `fetch_payment`: an intent not yet paid 1, Checkout 3, invoice 4 and 1 for each product and each tax
    rate that the invoice does not show itself, amount details, metadata or no lines 4, a charge without intent 1;
    one more for each further 100 lines. `pace` is shared by the gateways of one account. Close it at the end of the
    process.
    """

    def __init__(
        self,
        account: StripeAccount,
        mapping: MappingPolicy,
        *,
        timeout: httpx.Timeout = TIMEOUT,
        pace: Pace | None = None,
        watch: Watch = UNWATCHED,
    ) -> None:
        # Process-global in the SDK: it would write an id to the user's home and send it with timings.
        stripe.enable_telemetry = False
        self._account = account
        self._http = StripeHttp(pace or pace_of(account), watch, timeout)
        self._client = stripe.StripeClient(
            account.api_key.get_secret_value(),
            http_client=self._http,
            stripe_version=STRIPE_VERSION,
            max_network_retries=0,  # the workflow retries; the SDK would hide it and ignore Retry-After
            base_addresses={"api": account.api_base} if account.api_base else {},
        )
        self._finder = LineFinder(self._client, mapping)
        self.refunds = StripeRefunds(self._client)
        self.disputes = StripeDisputes(self._client)
        self.payouts = StripePayouts(self._client)
        self.history = StripeHistory(self._client)

    async def close(self) -> None:
        """Ends the connections."""
        end: Callable[[], Awaitable[None]] = self._http.close_async
        await end()

    async def fetch_payment(self, payment_id: str) -> PaymentFacts:
        """Everything Stripe says about `pi_…`, or about `ch_…` that has no intent, with its lines once paid.

        Refused for a charge that belongs to an intent: two runs would carry one payment.
        """
        with shaped(payment_id):
            if payment_id.startswith("pi_"):
                return await self._intent(payment_id)
            return await self._charge(payment_id)

    async def fetch_fee(self, payment_id: str) -> Fee | None:
        """What Stripe kept of `pi_…` or `ch_…`; None until it has made the balance transaction. One request."""
        if payment_id.startswith("pi_"):
            expand = ["latest_charge.balance_transaction"]
            intent = await answer(self._client.v1.payment_intents.retrieve_async(payment_id, {"expand": expand}))
            return charge_fee(part(intent, "latest_charge"))
        charging = self._client.v1.charges.retrieve_async(payment_id, {"expand": ["balance_transaction"]})
        return charge_fee(await answer(charging))

    async def resolve_payment(self, object_id: str) -> str | None:
        """The payment behind a charge, session, invoice or invoice payment; None where it has none (yet).

        Requests: 1, and 1 more for a session paid through an invoice. A payment's own id takes none.
        """
        kind = object_id.partition("_")[0]
        if kind == "pi":
            return object_id
        if kind in ("ch", "py"):
            charge = await answer(self._client.v1.charges.retrieve_async(object_id))
            return reference(charge, "payment_intent") or object_id
        if kind == "cs":
            session = await answer(self._client.v1.checkout.sessions.retrieve_async(object_id))
            invoice = reference(session, "invoice")
            found = reference(session, "payment_intent")
            return found or (await self._payment_of_invoice(invoice) if invoice else None)
        if kind == "in":
            return await self._payment_of_invoice(object_id)
        if kind == "inpay":
            return _paid_by(await answer(self._client.v1.invoice_payments.retrieve_async(object_id)))
        raise Refused("stripe", f"{object_id} names no payment, charge, session or invoice", code="kind")

    async def paid_for_order(self, salesorder_id: str) -> list[str]:
        """The paid intents whose metadata names this sales order; a new one may show a minute late. One request.

        Zoho's ids are digits, so nothing of the query has to be quoted; Refused for another.
        """
        if not salesorder_id.isdecimal():
            raise Refused("zoho", f"{salesorder_id!r} is no id of a sales order", code="shape")
        query = f"metadata['{ORDER_ID_KEY}']:'{salesorder_id}' AND status:'succeeded'"
        with translated(write=False):
            rows = (await self._client.v1.payment_intents.search_async({"query": query, "limit": 10})).data
        return [text(row.to_dict(), "id") for row in rows]

    async def payments_of(self, customer_id: str) -> list[tuple[str, str, str]]:
        """The customer's last hundred intents that were paid, newest first. One request.

        Each with its currency, and with the id of its order in Zoho where its metadata name one.
        """
        with translated(write=False):
            rows = (await self._client.v1.payment_intents.list_async({"customer": customer_id, "limit": 100})).data
        paid = [row.to_dict() for row in rows if row.status == "succeeded"]
        return [(text(row, "id"), text(row, "currency").upper(), words(row).get(ORDER_ID_KEY, "")) for row in paid]

    async def write_metadata(self, payment_id: str, metadata: Mapping[str, str], *, idempotency_key: str) -> None:
        """Merges `metadata` into the payment's; "" removes one. Stripe keeps the key 24 h. One request."""
        options: stripe.RequestOptions = {"idempotency_key": idempotency_key}
        intents, charges = self._client.v1.payment_intents, self._client.v1.charges
        if payment_id.startswith("pi_"):
            await answer(intents.update_async(payment_id, {"metadata": dict(metadata)}, options), write=True)
        else:
            await answer(charges.update_async(payment_id, {"metadata": dict(metadata)}, options), write=True)

    async def still_says(self, payment_id: str, words: Mapping[str, Collection[str]]) -> frozenset[str]:
        """The metadata keys of the payment whose value is one of these `words` by now. One request."""
        if payment_id.startswith("pi_"):
            row = await answer(self._client.v1.payment_intents.retrieve_async(payment_id))
        else:
            row = await answer(self._client.v1.charges.retrieve_async(payment_id))
        said = part(row, "metadata")
        return frozenset(key for key, ours in words.items() if said.get(key) in ours)

    async def cancel_payment(self, payment_id: str, *, idempotency_key: str) -> PaymentStatus:
        """Lets go of an intent that is not paid; what it is now: CANCELED, or PAID where the money came before.

        One request, and one more where Stripe refuses because it is paid or cancelled already.
        """
        params: stripe.params.PaymentIntentCancelParams = {"cancellation_reason": "requested_by_customer"}
        options: stripe.RequestOptions = {"idempotency_key": idempotency_key}
        intents = self._client.v1.payment_intents
        try:
            return intent_status(await answer(intents.cancel_async(payment_id, params, options), write=True))
        except Refused as refusal:
            if refusal.code != "payment_intent_unexpected_state":
                raise
            return intent_status(await answer(intents.retrieve_async(payment_id)))

    async def get_account(self) -> StripeAccountInfo:
        """The account that the key belongs to. One request."""
        account = await answer(self._client.v1.accounts.retrieve_current_async())
        key = self._account.api_key.get_secret_value()
        return StripeAccountInfo(
            id=text(account, "id"),
            livemode="_live_" in key,
            country=text(account, "country"),
            default_currency=text(account, "default_currency").upper(),
        )

    async def _intent(self, payment_id: str) -> PaymentFacts:
        retrieving = self._client.v1.payment_intents.retrieve_async(
            payment_id, {"expand": ["latest_charge.balance_transaction", "customer"]}
        )
        intent = await answer(retrieving)
        wanted = intent_status(intent) is PaymentStatus.PAID
        found = await self._finder.find(intent) if wanted else FoundLines()
        return intent_facts(intent, found, account_id=self._account.account_id)

    async def _charge(self, payment_id: str) -> PaymentFacts:
        retrieving = self._client.v1.charges.retrieve_async(payment_id, {"expand": ["customer", "balance_transaction"]})
        charge = await answer(retrieving)
        if intent := reference(charge, "payment_intent"):
            raise Refused("stripe", f"{payment_id} belongs to {intent}: carry that payment", code="has_intent")
        return charge_facts(charge, in_metadata(charge), account_id=self._account.account_id)

    async def _payment_of_invoice(self, invoice_id: str) -> str | None:
        listing = self._client.v1.invoice_payments.list_async({"invoice": invoice_id, "status": "paid", "limit": 1})
        payment = await first(listing)
        return None if payment is None else _paid_by(payment)


def _paid_by(payment: Raw) -> str | None:
    """The intent or charge of an invoice payment."""
    by = part(payment, "payment")
    return reference(by, "payment_intent") or reference(by, "charge") or None
