"""The contact of a payment: known, found or created, and never twice."""

from __future__ import annotations

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.contacts import ContactActivities
    from domain.payers import (
        AddressInput,
        AddressPlan,
        AddressPlanInput,
        AddressUse,
        AddressWritten,
        ContactInput,
        ContactWritten,
    )
    from domain.plans import OrderPlan
    from domain.runs import PaymentRef
    from workflows.calls import Calls

# Name · Name (e-mail) · Name (e-mail) EUR: see domain.contacts.
_NAMES = 3


async def settle_contact(calls: Calls, ref: PaymentRef, plan: OrderPlan) -> str:
    """Zoho's contact id for the payer.

    Of all runs that meet the same new payer at the same moment one holds the claim; the others wait for its contact.
    """
    if plan.contact_id:
        return plan.contact_id
    wanted = ContactInput(**dict(ref), order_ref=plan.order_ref)
    claim = await calls.wait(ContactActivities.claim_contact, wanted, "Ask our memory who the payer is")
    if claim.contact_id:
        return claim.contact_id
    try:
        return await _find_or_create(calls, wanted)
    except BaseException:
        await calls.read(ContactActivities.release_contact, wanted, "Let another run create the contact")
        raise


async def _find_or_create(calls: Calls, wanted: ContactInput) -> str:
    async def look(named: ContactInput) -> ContactWritten:
        return await calls.zoho_read(ContactActivities.find_contact, named, "Look for the payer's contact")

    found = await look(wanted)
    choice = found.name_choice
    while not found.contact_id and choice < _NAMES:
        named = wanted.model_copy(update={"name_choice": choice})

        async def write(after: int, named: ContactInput = named) -> ContactWritten:
            return await calls.zoho_write(
                ContactActivities.create_contact,
                named.model_copy(update={"after": after}),
                "Create the payer's contact",
            )

        async def look_for_ours(named: ContactInput = named) -> ContactWritten | None:
            seen = await look(named)
            return seen if seen.contact_id else None

        found = await calls.settle(write, look_for_ours, "contact")
        if found.taken:
            # By our own lost write, or by a namesake: look before another name is tried.
            found = await look(named)
            choice = max(choice + 1, found.name_choice)
    if found.contact_id:
        return found.contact_id
    raise ApplicationError(
        "every name for the payer's contact is taken by another contact of this organisation; rename one in Zoho, or "
        "allow duplicate contact names, then start the payment again",
        type="ContactNameTaken",
        non_retryable=True,
    )


async def settle_addresses(calls: Calls, ref: PaymentRef, plan: OrderPlan, contact_id: str) -> AddressPlan:
    """Zoho's ids of the order's addresses at this contact; an address it has not yet is added."""
    addresses = plan.addresses
    wanted = AddressPlanInput(**dict(ref), order_ref=plan.order_ref, contact_id=contact_id)
    if addresses is None:
        addresses = await calls.local(ContactActivities.plan_addresses, wanted, "Ask our memory for the addresses")
    if addresses.unread:
        addresses = await calls.zoho_read(
            ContactActivities.read_addresses, wanted, "Read the addresses that the contact has"
        )
    for use in addresses.missing:
        wanted_address = AddressInput(**dict(ref), order_ref=plan.order_ref, contact_id=contact_id, use=use)
        addresses = _with(addresses, use, await _add_address(calls, wanted_address))
    return addresses


async def _add_address(calls: Calls, wanted: AddressInput) -> str:
    async def write(after: int) -> AddressWritten:
        return await calls.zoho_write(
            ContactActivities.add_address,
            wanted.model_copy(update={"after": after}),
            f"Add the {wanted.use.value} address to the contact",
        )

    async def look() -> AddressWritten | None:
        return await calls.zoho_read(ContactActivities.find_address, wanted, "Look for the address at the contact")

    return (await calls.settle(write, look, "address")).address_id


def _with(addresses: AddressPlan, use: AddressUse, address_id: str) -> AddressPlan:
    fields = {"billing_address_id"} if use is AddressUse.BILLING else {"shipping_address_id"}
    if addresses.same:
        fields = {"billing_address_id", "shipping_address_id"}
    return addresses.model_copy(update=dict.fromkeys(fields, address_id))
