"""Pages, filters, sorting and lag of lists."""

from __future__ import annotations

import asyncio

import pytest

from tests.sandbox.zoho.shop import Shop


async def test_pages(shop: Shop) -> None:
    """Lists are cut into pages, the newest record first, and say whether there is more."""
    for number in range(5):
        await shop.contact(f"Ada {number}")
    first = await shop.call("GET", "/contacts", per_page=2)
    assert [row["contact_name"] for row in first["contacts"]] == ["Ada 4", "Ada 3"]
    assert first["page_context"]["has_more_page"] is True
    last = await shop.call("GET", "/contacts", per_page=2, page=3)
    assert [row["contact_name"] for row in last["contacts"]] == ["Ada 0"]
    assert last["page_context"] == {
        "page": 3,
        "per_page": 2,
        "has_more_page": False,
        "report_name": "Contacts",
        "applied_filter": "Status.All",
        "custom_fields": [],
        "sort_column": "created_time",
        "sort_order": "D",
    }


async def test_page_size(shop: Shop) -> None:
    """A page holds 200 rows by default and never more."""
    assert (await shop.call("GET", "/items"))["page_context"]["per_page"] == 200
    assert (await shop.call("GET", "/items", per_page=500))["page_context"]["per_page"] == 200


@pytest.mark.parametrize(
    ("query", "skus"),
    [
        ({"sort_column": "name", "sort_order": "A"}, ["CUP", "WRAP", "MUG"]),
        ({"sort_column": "rate", "sort_order": "D"}, ["MUG", "CUP", "WRAP"]),
        ({"sort_column": "created_time", "sort_order": "A"}, ["MUG", "CUP", "WRAP"]),
        ({"sku_startswith": "c"}, ["CUP"]),
        ({"name_contains": "wrap"}, ["WRAP"]),
        ({"rate": "4.5"}, ["CUP"]),
        ({"rate_greater_than": "4"}, ["CUP", "MUG"]),
        ({"rate_less_equals": "4.5"}, ["WRAP", "CUP"]),
        ({"search_text": "mug"}, ["MUG"]),
        ({"sku": "NONE"}, []),
        ({"filter_by": "Status.Inactive"}, []),
        ({"filter_by": "Status.Active", "sku": "CUP"}, ["CUP"]),
        ({"last_modified_time": "2099-01-01T00:00:00+0000"}, []),
    ],
)
async def test_filters_and_sorting(shop: Shop, query: dict[str, str], skus: list[str]) -> None:
    """Filters and sort orders that Zoho documents are honoured."""
    rows = (await shop.call("GET", "/items", **query))["items"]
    assert [row["sku"] for row in rows] == skus


async def test_unknown_filter_ignored(shop: Shop) -> None:
    """A filter that Zoho does not know is ignored, not refused."""
    answer = await shop.send("GET", "/items", colour="blue")
    assert len(answer.json()["items"]) == 3


async def test_sorted_by_change(shop: Shop) -> None:
    """Sorted by last_modified_time, what changed last comes last."""
    first = await shop.contact("First")
    await shop.contact("Second")
    await shop.call("PUT", f"/contacts/{first['contact_id']}", {"contact_name": "First again"})
    rows = (await shop.call("GET", "/contacts", sort_column="last_modified_time", sort_order="A"))["contacts"]
    assert [row["contact_name"] for row in rows] == ["Second", "First again"]


@pytest.mark.parametrize(("lag", "seen"), [(0.0, 1), (30.0, 0)])
async def test_list_lag(shop: Shop, lag: float, seen: int) -> None:
    """Where lists lag, a new record is read by its id at once but listed only later."""
    await shop.switch(list_lag_seconds=lag)
    contact = await shop.contact(contact_persons=[{"email": "ada@example.com"}])
    assert len((await shop.call("GET", "/contacts", email="ada@example.com"))["contacts"]) == seen
    await shop.read("contact", contact["contact_id"])
    await shop.advance(31)
    assert len((await shop.call("GET", "/contacts", email="ada@example.com"))["contacts"]) == 1


@pytest.mark.parametrize(("ignored", "found"), [(True, 1), (False, 0)])
async def test_letter_case(shop: Shop, ignored: bool, found: int) -> None:
    """Whether filters and unique names ignore letter case is a switch."""
    await shop.switch(text_ignores_case=ignored)
    await shop.order(reference_number="pi_ABC")
    rows = (await shop.call("GET", "/salesorders", reference_number="pi_abc"))["salesorders"]
    assert len(rows) == found
    answer = await shop.send("POST", "/contacts", {"contact_name": "ADA"})
    assert answer.status_code == (400 if ignored else 201)


async def test_answers_take_time(shop: Shop) -> None:
    """With `answer_seconds` an answer waits, without it does not."""

    async def timed() -> float:
        started = asyncio.get_running_loop().time()
        await shop.call("GET", "/items")
        return asyncio.get_running_loop().time() - started

    fast = min([await timed() for _ in range(3)])
    await shop.switch(answer_seconds=0.15)
    assert await timed() >= 0.15 > fast


@pytest.mark.parametrize(
    ("switched", "skus"),
    [(dict(lists_filter_modified=False), ["WRAP", "CUP"]), (dict(lists_sort_modified=False), [])],
)
async def test_what_lists_may_ignore(shop: Shop, switched: dict[str, bool], skus: list[str]) -> None:
    """By a switch a list answers as if nobody had asked for a time, or for that order."""
    item = (await shop.call("GET", "/items", sku="MUG"))["items"][0]
    await shop.advance(60)
    await shop.call("PUT", f"/items/{item['item_id']}", {"name": "Mug, large"})
    query = {"sort_column": "last_modified_time", "sort_order": "D", "last_modified_time": item["last_modified_time"]}
    future = {**query, "last_modified_time": "2099-01-01T00:00:00+0000"}
    assert next(row["sku"] for row in (await shop.call("GET", "/items", **query))["items"]) == "MUG"
    assert (await shop.call("GET", "/items", **future))["items"] == []
    await shop.switch(**switched)
    rows = [row["sku"] for row in (await shop.call("GET", "/items", **future))["items"]]
    assert rows == (["MUG", *skus] if skus else [])
    plain = [row["sku"] for row in (await shop.call("GET", "/items", **{**query, "sort_order": "D"}))["items"]]
    assert plain[0] == ("MUG" if "lists_filter_modified" in switched else "WRAP")
