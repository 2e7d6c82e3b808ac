"""Errors of clients in Temporal's words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from temporalio.exceptions import ApplicationErrorCategory

from activities.failures import plain, translate
from clients.errors import (
    AlreadyExists,
    ClientError,
    NotAllowed,
    NotFound,
    OutcomeUnknown,
    QuotaGone,
    RateLimited,
    Refused,
    TokenRefused,
    TryLater,
    Unreachable,
)
from domain.currencies import UnknownCurrency
from workflows.policies import FATAL


@pytest.mark.parametrize("kind", [Refused, NotFound, AlreadyExists, NotAllowed])
def test_refusals_are_final(kind: type[ClientError]) -> None:
    """What would be refused again is not asked again, and the policy knows its type too."""
    error = translate(kind("zoho", "no", code="5", status=404))
    assert error.non_retryable
    assert error.type in FATAL


@pytest.mark.parametrize("kind", [TryLater, RateLimited, Unreachable, TokenRefused, OutcomeUnknown])
def test_the_rest_is_asked_again(kind: type[ClientError]) -> None:
    """Waiting is not failing."""
    assert not translate(kind("zoho", "later")).non_retryable


def test_a_quota_says_when_and_that_it_goes_on_by_itself() -> None:
    """The server waits as long as Zoho says; an operator reads why; no error log is written."""
    error = translate(RateLimited("zoho", "too many", code="44", status=429, retry_after=61.5))
    assert error.next_retry_delay == timedelta(seconds=61.5)
    assert error.category == ApplicationErrorCategory.BENIGN
    assert "zoho 429 44" in error.message
    assert "goes on by itself" in error.message


def test_a_day_that_is_used_up_ends_the_activity_with_its_moment() -> None:
    """The run waits, not the activity: it is told until when, for itself and for people."""
    until = datetime(2026, 11, 25, 23, 0, tzinfo=UTC)
    error = translate(QuotaGone("zoho", "used up", until=until, when="midnight", retry_after=60.0))
    assert (error.type, error.non_retryable, error.type in FATAL) == ("QuotaGone", True, True)
    assert error.category == ApplicationErrorCategory.BENIGN
    assert error.details[0]["until"] == "2026-11-25T23:00:00+00:00"
    assert (error.details[0]["when"], error.details[0]["said"]) == ("midnight", "used up")


def test_names_and_addresses_stay_out_of_the_history() -> None:
    """Zoho quotes the customer's name, and may quote an e-mail."""
    said = 'The customer "Ada Lovelace" already exists, see ada@example.com.'
    error = translate(AlreadyExists("zoho", said, code="3062", status=400))
    assert "Ada" not in error.message
    assert "ada@" not in error.message
    assert "3062" in error.message


def test_an_unexpected_error_gives_its_type_only() -> None:
    """Its text may hold anything, so the log has it, masked, and the history has not."""
    error = translate(ValueError("Ada Lovelace"))
    assert "Ada" not in error.message
    assert error.type == "ValueError"
    assert not error.non_retryable


def test_an_unknown_currency_is_final() -> None:
    """No repeat will teach us a currency."""
    error = translate(UnknownCurrency("XYZ"))
    assert (error.type, error.non_retryable) == ("unknown_currency", True)
    assert "XYZ" in error.message


def test_plain_keeps_the_rest_of_the_sentence() -> None:
    """Only quotes and addresses go."""
    assert plain('"X" is taken by x@y.example today') == "“…” is taken by …@… today"
