"""Customers of one organisation, their people and addresses."""

from __future__ import annotations

from clients.zoho.client import ZohoClient
from clients.zoho.translation.contacts import (
    address_of,
    changed_person,
    contact_document,
    new_contact,
    person_of,
    zoho_address,
)
from domain.contacts import normal_email
from domain.corrections import PersonSeen
from domain.documents import ContactDocument
from domain.orders import OrderDraft
from domain.payments import Address


class ZohoPeople:
    """Whom a payment is of."""

    _client: ZohoClient

    async def contacts(self, *, email: str = "", name: str = "") -> list[ContactDocument]:
        """Contacts with exactly this e-mail or name, of any kind and currency."""
        return [contact_document(row) for row in await self._client.find_contacts(email=email, contact_name=name)]

    async def create_contact(self, name: str, draft: OrderDraft, currency_id: str) -> ContactDocument:
        """The draft's payer as a new customer. AlreadyExists where the name is taken."""
        created = await self._client.create_contact(new_contact(name, draft, currency_id))
        return contact_document(created)

    async def contact_person(self, contact_id: str, draft: OrderDraft, before: str) -> PersonSeen:
        """The contact's person who is the draft's payer: by his e-mail, or by the one he had `before`.

        One without an e-mail is he as well; a person whom somebody gave another e-mail is not.
        """
        persons = (await self._client.get_contact(contact_id)).contact_persons
        first, last, mail, phone = person_of(draft)
        for email in dict.fromkeys((normal_email(mail), before, "")):
            for one in persons:
                if normal_email(one.email) == email:
                    same = (one.first_name, one.last_name, email) == (first, last, normal_email(mail))
                    return PersonSeen(person_id=one.contact_person_id, same=same and phone in ("", one.phone))
        return PersonSeen()

    async def update_contact_person(self, person_id: str, contact_id: str, draft: OrderDraft) -> None:
        """The draft's payer as this person of the contact."""
        await self._client.update_contact_person(person_id, changed_person(contact_id, draft))

    async def add_address(self, contact_id: str, address: Address) -> str:
        """The id of the address that was added to the contact."""
        return await self._client.add_address(contact_id, zoho_address(address))

    async def addresses(self, contact_id: str) -> list[tuple[str, Address]]:
        """The contact's addresses with their ids."""
        rows = await self._client.list_addresses(contact_id)
        return [(row.address_id, address_of(row)) for row in rows]
