"""What our memory knows of contacts and their addresses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from domain.contacts import address_fingerprint, normal_email
from domain.documents import ContactDocument
from domain.orders import OrderDraft
from domain.payers import AddressPlan, AddressUse
from domain.payments import Address

if TYPE_CHECKING:
    from clients.keys import KeyRing
    from clients.store import Links

_UNREAD = "contact_with_unread_addresses"


class ContactBook:
    """What our memory knows of contacts. Keys are keyed hashes: no e-mail stands in the store in clear."""

    def __init__(self, links: Links, keys: KeyRing, now: Callable[[], datetime]) -> None:
        self._links = links
        self._keys = keys
        self._now = now

    def key(self, draft: OrderDraft) -> str:
        """One key for each payer and currency: by e-mail, else by Stripe customer, else by the payment itself."""
        identity = draft.contact
        who = identity.email or identity.customer_id or draft.reference
        return f"{self._who(who)}|{identity.currency}"

    async def recall(self, connection: str, draft: OrderDraft) -> str:
        """The contact's id, "" where it is not known."""
        return await self._links.get(connection, "contact", self.key(draft)) or ""

    async def forget(self, connection: str, draft: OrderDraft) -> None:
        """Know the payer's contact no more: Zoho refused it."""
        await self._links.forget(connection, "contact", self.key(draft))

    async def refresh(self, connection: str, rows: Sequence[ContactDocument]) -> None:
        """Forget whoever is no customer any more, has another currency, or an e-mail that no payer of his has."""
        known = await self._links.keys_of(connection, "contact", [row.contact_id for row in rows]) if rows else []
        for row in rows:
            keys = [key for key, contact_id in known if contact_id == row.contact_id]
            theirs = not row.email or any(key.partition("|")[0] == self._who(normal_email(row.email)) for key in keys)
            serves = theirs and row.active and row.kind == "customer"
            for key in keys:
                if not (serves and row.currency in ("", key.rpartition("|")[2])):
                    await self._links.forget(connection, "contact", key)

    async def remember_key(self, connection: str, draft: OrderDraft, contact_id: str) -> None:
        """Know the payer's contact by the draft's identity too: the e-mail has changed, the contact has not."""
        await self._links.put(connection, "contact", self.key(draft), contact_id, at=self._now())

    async def remember(self, connection: str, draft: OrderDraft, contact: ContactDocument) -> None:
        """Keep the contact, and the addresses that it was created with."""
        await self._links.put(connection, "contact", self.key(draft), contact.contact_id, at=self._now())
        for address, address_id in (
            (draft.billing, contact.billing_address_id),
            (draft.shipping, contact.shipping_address_id),
        ):
            if address_id and not address.is_empty():
                await self.remember_address(connection, contact.contact_id, address, address_id)

    async def remember_address(self, connection: str, contact_id: str, address: Address, address_id: str) -> None:
        """Keep an address of a contact."""
        key = self._address_key(contact_id, address)
        await self._links.put(connection, "address", key, address_id, at=self._now())

    async def plan_addresses(self, connection: str, contact_id: str, draft: OrderDraft) -> AddressPlan:
        """Which of the order's addresses the contact has, and which are missing."""
        both = {AddressUse.BILLING: draft.billing, AddressUse.SHIPPING: draft.shipping}
        wanted = {use: self._address_key(contact_id, a) for use, a in both.items() if not a.is_empty()}
        known = await self._links.get_many(connection, "address", list(wanted.values())) if wanted else {}
        ids = {use: known.get(key, "") for use, key in wanted.items()}
        missing = tuple(use for use, found in ids.items() if not found)
        if len(missing) == 2 and wanted[AddressUse.BILLING] == wanted[AddressUse.SHIPPING]:
            missing = (AddressUse.BILLING,)
        unread = bool(missing) and await self._links.get(connection, _UNREAD, contact_id) is not None
        return AddressPlan(
            unread=unread,
            billing_address_id=ids.get(AddressUse.BILLING, ""),
            shipping_address_id=ids.get(AddressUse.SHIPPING, ""),
            missing=missing,
            same=len(set(wanted.values())) < len(wanted),
        )

    async def remember_unread(self, connection: str, contact_id: str) -> None:
        """Keep that the contact was found in Zoho, so that it may have addresses which nobody told us."""
        await self._links.put(connection, _UNREAD, contact_id, "yes", at=self._now())

    async def remember_read(self, connection: str, contact_id: str, found: Sequence[tuple[str, Address]]) -> None:
        """Keep every address that the contact has, by Zoho's id."""
        for address_id, address in found:
            if not address.is_empty():
                await self.remember_address(connection, contact_id, address, address_id)
        await self._links.forget(connection, _UNREAD, contact_id)

    def address_step(self, contact_id: str, address: Address) -> str:
        """The effect that adding this address is."""
        return self._address_key(contact_id, address)

    def _who(self, who: str) -> str:
        return self._keys.pseudonym(who.encode())

    def _address_key(self, contact_id: str, address: Address) -> str:
        return f"{contact_id}|{self._keys.pseudonym(address_fingerprint(address).encode())}"
