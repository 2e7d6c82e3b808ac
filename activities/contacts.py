"""The payer as a contact: one for each payer and currency, however many runs meet at once."""

from __future__ import annotations

from temporalio import activity

from activities.contact_book import ContactBook
from activities.contact_claims import ContactClaims
from activities.dossier import Dossier
from activities.effects import Once
from activities.memory import Memory
from activities.shops import Shops
from clients.errors import AlreadyExists, NotFound
from domain.contacts import address_fingerprint, display_name, free_name, payer_among
from domain.documents import ContactDocument
from domain.orders import OrderDraft
from domain.payers import (
    AddressInput,
    AddressPlan,
    AddressPlanInput,
    AddressUse,
    AddressWritten,
    ContactClaim,
    ContactInput,
    ContactWritten,
)
from domain.runs import PaymentRef


class ContactActivities:
    """Claim, look, create: in this order, one call each."""

    def __init__(
        self,
        shops: Shops,
        dossier: Dossier,
        book: ContactBook,
        memory: Memory,
        once: Once,
        claims: ContactClaims,
    ) -> None:
        self._shops = shops
        self._dossier = dossier
        self._book = book
        self._memory = memory
        self._once = once
        self._claims = claims

    @activity.defn
    async def claim_contact(self, wanted: ContactInput) -> ContactClaim:
        """The contact, or the right to create it; waits (by being retried) while another run has that right."""
        draft = await self._dossier.order(wanted, wanted.order_ref)
        if known := await self._book.recall(wanted.connection, draft):
            return ContactClaim(contact_id=known)
        await self._claims.take(wanted.connection, draft)
        # Between the look and the claim another run may have finished.
        if known := await self._book.recall(wanted.connection, draft):
            await self._claims.give_back(wanted.connection, draft)
            return ContactClaim(contact_id=known)
        return ContactClaim(mine=True)

    @activity.defn
    async def release_contact(self, wanted: ContactInput) -> None:
        """Give the right to create the contact back."""
        draft = await self._dossier.order(wanted, wanted.order_ref)
        await self._claims.give_back(wanted.connection, draft)

    @activity.defn
    async def find_contact(self, wanted: ContactInput) -> ContactWritten:
        """The payer's contact in Zoho: an active customer with the e-mail (or the very name) and the currency."""
        draft = await self._dossier.order(wanted, wanted.order_ref)
        identity = draft.contact
        asked = {"email": identity.email} if identity.email else {"name": identity.names[-1]}
        rows = await self._shops[wanted.connection].zoho.contacts(**asked)
        payer = payer_among(rows, identity)
        if payer is None:
            return ContactWritten(name_choice=free_name(rows, identity))
        found = ContactWritten(contact_id=payer.contact_id)
        await self._once.adopt_begun(_create_step(wanted), wanted, found)
        await self._book.remember_unread(wanted.connection, payer.contact_id)
        await self._settle(wanted, draft, payer)
        return found

    @activity.defn
    async def create_contact(self, wanted: ContactInput) -> ContactWritten:
        """Create the payer's contact under its `name_choice`; `taken` where Zoho has that name already."""
        draft = await self._dossier.order(wanted, wanted.order_ref)
        name = display_name(draft.contact, wanted.name_choice)
        currency = await self._memory.currency(wanted.connection, draft.contact.currency)
        created: list[ContactDocument] = []

        async def call() -> ContactWritten:
            zoho = self._shops[wanted.connection].zoho
            created.append(await zoho.create_contact(name, draft, currency.currency_id))
            return ContactWritten(contact_id=created[0].contact_id)

        try:
            written = await self._once.write(_create_step(wanted), wanted, ContactWritten, call)
        except AlreadyExists:
            return ContactWritten(taken=True)
        for contact in created:
            await self._settle(wanted, draft, contact)
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
        try:
            found = await self._shops[wanted.connection].zoho.addresses(wanted.contact_id)
        except NotFound:
            await self._book.forget(wanted.connection, draft)
            raise
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
        try:
            written = await self._once.write("add_address", wanted, AddressWritten, call, key=key)
        except NotFound:
            await self._book.forget(wanted.connection, draft)
            raise
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
        await self._claims.give_back(wanted.connection, draft)


def _create_step(wanted: ContactInput) -> str:
    """The effect is the payment's own: the claim keeps other payments of the payer out, and a contact that an earlier
    payment made may have been deleted in Zoho since.
    """
    return f"create_contact#{wanted.name_choice}"
