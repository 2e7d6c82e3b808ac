"""The checker against Zoho's specification: what it passes and what it catches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandbox.zoho.app import BOOKS_ROUTES, ROUTES
from tests.sandbox.vendor.zoho_check import INFERRED, KNOWN, request_problems, response_problems


@pytest.mark.parametrize(
    ("method", "path", "query", "body"),
    [
        ("POST", "/salesorders", {"organization_id": "1", "ignore_auto_number_generation": "true"}, {}),
        ("POST", "/inventory/v1/salesorders", {}, {"customer_id": "1", "line_items": [{"discount": 1}]}),
        ("GET", "/salesorders", {"reference_number": "pi_1"}, None),
        ("POST", "/contacts/17/address", {}, {"city": "Rome"}),
        ("POST", "/invoices", {}, {"line_items": [{"salesorder_item_id": "1"}]}),
        ("POST", "/invoices/fromsalesorder", {"salesorder_id": "1"}, None),
    ],
)
def test_request_passes(method: str, path: str, query: dict[str, str], body: Any) -> None:
    """What the specification, or a listed defect of it, knows is no problem."""
    assert request_problems(method, path, query, body) == []


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "words"),
    [
        ("POST", "/salesorders", {}, {"currency_id": "1"}, "no field currency_id"),
        ("POST", "/salesorders", {}, {"line_items": [{"colour": "blue"}]}, "no field line_items.colour"),
        ("GET", "/salesorders", {"colour": "blue"}, None, "no query parameter colour"),
        ("GET", "/customerpayments", {"customer_id": "1"}, None, "no query parameter customer_id"),
        ("POST", "/contacts", {}, {"email": "a@example.com"}, "no field email"),
        ("POST", "/nothing", {}, None, "no operation POST /nothing"),
        ("POST", "/journals", {}, {}, "no operation POST /journals"),
        ("POST", "/books/v3/journals", {}, {"line_items": [{"debit": 1}]}, "no field line_items.debit"),
        ("POST", "/books/v3/items", {}, {}, "no operation POST /books"),
        ("PATCH", "/salesorders/1", {}, None, "no operation PATCH"),
    ],
)
def test_request_caught(method: str, path: str, query: dict[str, str], body: Any, words: str) -> None:
    """What nobody documents is named."""
    problems = request_problems(method, path, query, body)
    assert len(problems) == 1
    assert words in problems[0]


@pytest.mark.parametrize(
    ("method", "path", "body", "words"),
    [
        ("GET", "/salesorders/1", {"code": 0, "order": {}}, "answers no order"),
        ("GET", "/salesorders/1", {"salesorder": {"colour": ""}}, "answers no salesorder.colour"),
        ("GET", "/invoices", {"invoices": [{"line_items": [{"colour": 1}]}]}, "line_items.colour"),
    ],
)
def test_answer_caught(method: str, path: str, body: Any, words: str) -> None:
    """An envelope key or a field of an answer that nobody has seen is named."""
    assert any(words in problem for problem in response_problems(method, path, body))


def test_every_route_exists() -> None:
    """The sandbox serves no operation that the specification and its listed defects do not have."""
    problems = [request_problems(route.method, route.template, {}) for route in ROUTES]
    problems += [request_problems(route.method, f"/books/v3{route.template}", {}) for route in BOOKS_ROUTES]
    assert [problem for problem in problems if problem] == []


def test_defects_have_reasons() -> None:
    """Each listed defect has a reason, and what is inferred says that nothing may need it."""
    assert all(len(row.reason) > 10 for row in KNOWN)
    assert "no step may need it" in INFERRED


def test_index_is_small() -> None:
    """The derived index stays a small file."""
    assert Path(__file__).with_name("zoho_operations.json").stat().st_size < 150_000
