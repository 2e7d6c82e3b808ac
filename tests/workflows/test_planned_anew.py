"""A payment whose contact or item was deleted in Zoho: the run asks anew by itself, once, and then a person."""

from __future__ import annotations

import pytest
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from domain.payers import AddressPlan, AddressUse, AddressWritten
from domain.runs import Stage
from tests.workflows.fakes import Script
from tests.workflows.samples import ANSWERS, known_plan
from tests.workflows.test_payments import STORY, carry, parked, plans

ZOHO = {"service": "zoho"}
GONE = ApplicationError("zoho 404 1002: Contact does not exist", ZOHO, type="NotFound", non_retryable=True)
REFUSED = ApplicationError("zoho 400 4711: no", ZOHO, type="Refused", non_retryable=True)
LACKS = AddressPlan(missing=(AddressUse.SHIPPING,))


async def test_the_story_is_told_again_where_something_is_gone(temporal_client: Client) -> None:
    """With what Zoho says now; people hear a note."""
    script = Script({"create_sales_order": [GONE, ANSWERS["create_sales_order"]]})
    result, _ = await carry(temporal_client, script)
    assert result["stage"] == Stage.PAID
    assert script.names()[: 3 + len(STORY)] == [*STORY[:3], *STORY]
    assert "note_waiting" not in script.names()


@pytest.mark.parametrize("call", ["read_addresses", "add_address"])
async def test_so_it_is_where_an_address_finds_no_contact(temporal_client: Client, call: str) -> None:
    """An order is not the first to meet it."""
    moved = known_plan("pi_1").model_copy(update={"addresses": LACKS.model_copy(update={"unread": True})})
    answers = {"read_addresses": LACKS, "add_address": AddressWritten(address_id="ad-1")}
    script = Script({**answers, "prepare_order": plans(moved), call: [GONE, answers[call]]})
    result, _ = await carry(temporal_client, script)
    assert result["stage"] == Stage.PAID
    assert script.names().count("prepare_order") == 2


@pytest.mark.parametrize(("refused", "told"), [(GONE, 2), (REFUSED, 1)])
async def test_a_person_is_asked_where_that_does_not_help(
    temporal_client: Client, refused: ApplicationError, told: int
) -> None:
    """Gone the second time, or refused for another reason."""
    script = Script({"create_sales_order": refused})
    assert (await parked(temporal_client, script)).attention_class == "zoho_refused"
    assert script.names().count("create_sales_order") == told
