"""Zoho's refusals, each with the evidence for its code.

Evidence: observed (quoted from a live answer), documented, reported (by integrators), invented (Zoho refuses this or
may, under a code nobody has told us: numbers from 99000 on, so that no client can come to rely on them).
"""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """An answer other than success: HTTP `status`, Zoho's `code` and `message`, and fields beside them."""

    def __init__(self, status: int, code: int, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.extra = status, code, message, extra

    def body(self) -> dict[str, Any]:
        """The envelope of the answer."""
        return {"code": self.code, "message": self.message, **self.extra}


def invalid_url() -> Refusal:
    """Unknown path [observed]."""
    return Refusal(404, 5, "Invalid URL Passed")


def missing(resource: str) -> Refusal:
    """An id that names nothing [code documented, status reported]."""
    return Refusal(404, 1002, f"{resource} does not exist.")


def malformed() -> Refusal:
    """A body that is no JSON object [observed]."""
    return Refusal(400, 1038, "JSON is not well formed")


def unauthorized(status: int = 401) -> Refusal:
    """Expired or unknown token, or a scope it lacks [reported]."""
    return Refusal(status, 57, "You are not authorized to perform this operation")


def organization_needed(choices: list[dict[str, Any]]) -> Refusal:
    """organization_id is missing [observed with several organisations]."""
    message = (
        "This user belongs to multiple organizations, hence the parameter CompanyID/CompanyName is required in the"
        " request."
    )
    return Refusal(400, 6024, message, error_info=choices)


def organization_unknown() -> Refusal:
    """organization_id names none of the user's organisations [reported]."""
    return Refusal(400, 4029, "The organization is invalid.")


def minute_limit() -> Refusal:
    """Over the calls of a minute [documented]."""
    return Refusal(
        429,
        44,
        "For security reasons your organization has been blocked as it have exceeded the maximum number of requests"
        " per minute that can originate from an organization.",
    )


def day_limit(limit: int) -> Refusal:
    """Over the plan's calls of a day [observed]."""
    return Refusal(429, 45, f"The API call for this organization has exceeded the maximum call rate limit of {limit}.")


def concurrency_limit() -> Refusal:
    """Too many calls in process [documented]."""
    return Refusal(
        429,
        1070,
        "You have reached the maximum number of in process requests allowed. Kindly try again after some time.",
    )


def internal() -> Refusal:
    """Something broke inside Zoho [reported]."""
    return Refusal(500, 1000, "Internal error. Please try again after some time.")


def number_taken() -> Refusal:
    """The sales order number belongs to another order [observed]."""
    return Refusal(400, 36004, "This sales order number already exists.")


def contact_taken(name: str) -> Refusal:
    """The contact name belongs to another contact, on POST and PUT [observed]."""
    return Refusal(400, 3062, f'The customer "{name}" already exists. Please specify a different name.')


def invented(offset: int, message: str) -> Refusal:
    """A refusal under a made-up code, 99000 + `offset`."""
    return Refusal(400, 99000 + offset, message)


def invalid_value(field: str) -> Refusal:
    """A value the field cannot hold [invented]."""
    return invented(1, f"Invalid value passed for {field}")


def mandatory(field: str) -> Refusal:
    """A required field is missing [invented]."""
    return invented(2, f"{field} is mandatory")


def too_long(field: str, most: int) -> Refusal:
    """A text beyond the field's length [invented]."""
    return invented(3, f"Please ensure that the {field} has less than {most + 1} characters.")


def sku_taken(sku: str) -> Refusal:
    """Another item has the SKU [invented]."""
    return invented(4, f'Item "{sku}" already exists. Please specify a different SKU.')


def inactive(kind: str) -> Refusal:
    """An inactive item or contact in a new document [invented]."""
    return invented(5, f"The {kind} has been marked as inactive.")


def insufficient_stock(name: str) -> Refusal:
    """Stock would go below zero while the organisation forbids it [invented]."""
    return invented(6, f"Insufficient stock for the item {name}.")


def number_given() -> Refusal:
    """An order number while auto-numbering is on and not ignored [invented]."""
    return invented(7, "Auto-generation of sales order numbers is on. Set ignore_auto_number_generation.")


def draft_order() -> Refusal:
    """An invoice for an order in draft or void [reported, code invented]."""
    return invented(8, "Invoices can be raised only for confirmed sales orders.")


def has_children(what: str) -> Refusal:
    """The record has documents that depend on it [invented]."""
    return invented(9, f"The {what} has transactions and cannot be changed this way.")


def overpaid() -> Refusal:
    """More is applied than the invoice's balance or the payment's amount [invented]."""
    return invented(10, "The amount applied exceeds the balance of the invoice or the amount of the payment.")


def wrong_status(what: str, status: str) -> Refusal:
    """The record's status does not allow this [invented]."""
    return invented(11, f"The {what} is in the status {status}, which does not allow this.")


def overinvoiced() -> Refusal:
    """More is invoiced than the order's line has left [invented]."""
    return invented(12, "The quantity exceeds what is left to be invoiced on the sales order.")


def unknown_custom_field() -> Refusal:
    """A custom field that the organisation does not have [invented]."""
    return invented(13, "The custom field does not exist.")


def currency_fixed() -> Refusal:
    """The currency of a contact with transactions [invented]."""
    return invented(14, "The currency of a contact with transactions cannot be changed.")


def overpacked() -> Refusal:
    """More is packed than the order's line has left [invented]."""
    return invented(16, "The quantity exceeds what is left to be packed on the sales order.")


def not_packable() -> Refusal:
    """A line of a service in a package [invented]."""
    return invented(17, "Services cannot be packed.")


def not_returnable(name: str) -> Refusal:
    """An item in a sales return that is not flagged as returnable [refusal documented, code invented]."""
    return invented(23, f"The item {name} cannot be returned.")


def overreturned() -> Refusal:
    """More is returned than was shipped and not yet returned [refusal documented, code invented]."""
    return invented(24, "The quantity exceeds what was shipped and is not yet returned.")


def overreceived() -> Refusal:
    """More is received than the return's line has left to be received [invented]."""
    return invented(25, "The quantity exceeds what is left to be received of the sales return.")


def overcredited() -> Refusal:
    """More is credited than the return's line has left of that kind [invented]."""
    return invented(26, "The quantity exceeds what is left to be credited of the sales return.")


def return_number_taken() -> Refusal:
    """Another sales return has the number [invented]."""
    return invented(27, "This sales return number already exists.")


def unbalanced() -> Refusal:
    """The debits of a journal are not its credits [refusal documented in words, code invented]."""
    return invented(28, "Please ensure that the debits and credits are equal.")


def not_a_fund(name: str) -> Refusal:
    """A transfer of funds from or to an account that is neither bank, card, cash nor clearing [invented]."""
    return invented(29, f"Funds cannot be transferred from or to the account {name}.")


def no_bank_in_journals(name: str) -> Refusal:
    """A journal's line for a bank account [invented]."""
    return invented(30, f"The bank account {name} cannot be used in a journal.")


def no_books() -> Refusal:
    """The organisation has no active Books [reported of Inventory, without a code: invented]."""
    return invented(31, "The account is disabled.")


def shipment_number_taken() -> Refusal:
    """Another shipment has the number [invented]."""
    return invented(18, "This shipment order number already exists.")
