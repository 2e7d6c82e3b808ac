"""The payer as a contact: one for each payer and currency, however many runs meet at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.contact_book import ContactBook
from activities.dossier import Dossier
from activities.effects import Once
from activities.memory import Memory
from activities.shops import Shops
from clients.errors import AlreadyExists, Refused
from domain.contacts import ContactIdentity, address_fingerprint, normal_email
from domain.documents import ContactDocument
from domain.orders import OrderDraft
from domain.runs import (
    AddressInput,
    AddressPlan,
    AddressPlanInput,
    AddressUse,
    AddressWritten,
    ContactClaim,
    ContactInput,
    ContactWritten,
    PaymentRef,
)

if TYPE_CHECKING:
    from clients.store import Effects


class ContactActivities:
    """Claim, look, create: in this order, one call each."""

    def __init__(
        self,
        shops: Shops,
        dossier: Dossier,
        book: ContactBook,
        memory: Memory,
        once: Once,
        effects: Effects,
        now: Callable[[], datetime],
    ) -> None:
        self._shops = shops
        self._dossier = dossier
        self._book = book
        self._memory = memory
        self._once = once
        self._effects = effects
        self._now = now

    @activity.defn
    async def claim_contact(self, wanted: ContactInput) -> ContactClaim:
        """The contact, or the right to create it; waits (by being retried) while another run has that right."""
        draft = await self._dossier.order(wanted, wanted.order_ref)
        if known := await self._book.recall(wanted.connection, draft):
            return ContactClaim(contact_id=known)
        effect = await self._effects.begin(
            wanted.connection,
            "claim_contact",
            self._book.key(draft),
            owner=activity.info().workflow_id or "",
            at=self._now(),
            lease=self._shops[wanted.connection].policy.contact_lease,
        )
        if effect.state == "held":
            raise ApplicationError(
                "another payment of the same payer is creating the contact",
                type="ContactBeingMade",
                category=ApplicationErrorCategory.BENIGN,
            )
        # Between the look and the claim another run may have finished.
        if known := await self._book.recall(wanted.connection, draft):
            await self._release(wanted, draft)
            return ContactClaim(contact_id=known)
        return ContactClaim(mine=True)

    @activity.defn
    async def release_contact(self, wanted: ContactInput) -> None:
        """Give the right to create the contact back."""
        draft = await self._dossier.order(wanted, wanted.order_ref)
        await self._release(wanted, draft)

    @activity.defn
    async def find_contact(self, wanted: ContactInput) -> ContactWritten:
        """The payer's contact in Zoho: an active customer with the e-mail (or the very name) and the currency."""
        draft = await self._dossier.order(wanted, wanted.order_ref)
        identity = draft.contact
        zoho = self._shops[wanted.connection].zoho
        if identity.email:
            rows = await zoho.contacts(email=identity.email)
        else:
            rows = await zoho.contacts(name=identity.names[-1])
        for row in rows:
            if _is_payer(row, identity):
                found = ContactWritten(contact_id=row.contact_id)
                await self._once.adopt_begun(_create_step(wanted), wanted, found)
                await self._book.remember_unread(wanted.connection, row.contact_id)
                await self._settle(wanted, draft, row)
                return found
        # The same payer in another currency, or a vendor of the same address, has a name already.
        taken = {row.name for row in rows}
        free = (choice for choice, name in enumerate(identity.names) if name not in taken)
        return ContactWritten(name_choice=next(free, len(identity.names) - 1))

    @activity.defn
    async def create_contact(self, wanted: ContactInput) -> ContactWritten:
        """Create the payer's contact under its `name_choice`; `taken` where Zoho has that name already."""
        draft = await self._dossier.order(wanted, wanted.order_ref)
        identity = draft.contact
        name = _name(identity, wanted.name_choice)
        currency_id = await self._currency_id(wanted.connection, identity.currency)
        created: list[ContactDocument] = []

        async def call() -> ContactWritten:
            contact = await self._shops[wanted.connection].zoho.create_contact(name, draft, currency_id)
            created.append(contact)
            return ContactWritten(contact_id=contact.contact_id)

        try:
            written = await self._once.write(_create_step(wanted), wanted, ContactWritten, call)
        except AlreadyExists:
            return ContactWritten(taken=True)
        if created:
            await self._settle(wanted, draft, created[0])
        return written

    @activity.defn
    async def plan_addresses(self, wanted: AddressPlanInput) -> AddressPlan:
        """Which of the order's addresses the contact has."""
        draft = await self._dossier.order(wanted, wanted.order_ref)
        return await self._book.plan_addresses(wanted.connection, wanted.contact_id, draft)

    @activity.defn
    async def read_addresses(self, wanted: AddressPlanInput) -> AddressPlan:
        """Read what addresses the contact has; then which of the order's are missing."""
        draft = await self._dossier.order(wanted, wanted.order_ref)
        found = await self._shops[wanted.connection].zoho.addresses(wanted.contact_id)
        await self._book.remember_read(wanted.connection, wanted.contact_id, found)
        return await self._book.plan_addresses(wanted.connection, wanted.contact_id, draft)

    @activity.defn
    async def add_address(self, wanted: AddressInput) -> AddressWritten:
        """Add one of the order's addresses to the contact."""
        draft = await self._dossier.order(wanted, wanted.order_ref)
        address = draft.billing if wanted.use is AddressUse.BILLING else draft.shipping

        async def call() -> AddressWritten:
            added = await self._shops[wanted.connection].zoho.add_address(wanted.contact_id, address)
            return AddressWritten(address_id=added)

        key = self._book.address_step(wanted.contact_id, address)
        written = await self._once.write("add_address", wanted, AddressWritten, call, key=key)
        if written.address_id:
            await self._book.remember_address(wanted.connection, wanted.contact_id, address, written.address_id)
        return written

    @activity.defn
    async def find_address(self, wanted: AddressInput) -> AddressWritten | None:
        """The address among those the contact has."""
        draft = await self._dossier.order(wanted, wanted.order_ref)
        address = draft.billing if wanted.use is AddressUse.BILLING else draft.shipping
        key = self._book.address_step(wanted.contact_id, address)
        for address_id, found in await self._shops[wanted.connection].zoho.addresses(wanted.contact_id):
            if address_fingerprint(found) == address_fingerprint(address):
                written = AddressWritten(address_id=address_id)
                await self._once.adopt("add_address", wanted, written, key=key)
                await self._book.remember_address(wanted.connection, wanted.contact_id, address, address_id)
                return written
        return None

    async def _settle(self, wanted: PaymentRef, draft: OrderDraft, contact: ContactDocument) -> None:
        await self._book.remember(wanted.connection, draft, contact)
        await self._release(wanted, draft)

    async def _release(self, wanted: PaymentRef, draft: OrderDraft) -> None:
        owner = activity.info().workflow_id or ""
        await self._effects.withdraw(wanted.connection, "claim_contact", self._book.key(draft), owner=owner)

    async def _currency_id(self, connection: str, code: str) -> str:
        currency = (await self._memory.catalogue(connection)).currency(code)
        if currency is None:
            raise Refused("zoho", f"the organisation has no currency {code}; add it in Zoho", code="no_currency")
        return currency.currency_id


def _create_step(wanted: ContactInput) -> str:
    """The effect is the payment's own: the claim keeps other payments of the payer out, and a contact that an earlier
    payment made may have been deleted in Zoho since.
    """
    return f"create_contact#{wanted.name_choice}"


def _name(identity: ContactIdentity, choice: int) -> str:
    """Without an e-mail only the last name tells the payer from a namesake, so it is the only one used."""
    return identity.names[choice if identity.email else -1]


def _is_payer(row: ContactDocument, identity: ContactIdentity) -> bool:
    """A vendor never matches as a customer, nor does the same person in another currency."""
    if row.kind != "customer" or not row.active or row.currency != identity.currency:
        return False
    if identity.email:
        return normal_email(row.email) == identity.email
    return row.name == identity.names[-1]
