"""JSON with exact decimals, and every kind of answer read as what it means."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.errors import (
    AlreadyExists,
    ClientError,
    NotAllowed,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Refused,
    TokenRefused,
    TryLater,
)
from clients.zoho.codec import Answer, Request, decode, encode, read_answer, read_quota

READ = Request("GET", "/invoices/1")
WRITE = Request("POST", "/invoices")


def said(status: int, body: str, **headers: str) -> Answer:
    return Answer(status, {k.replace("_", "-"): v for k, v in headers.items()}, body.encode())


def error_of(request: Request, answer: Answer) -> ClientError:
    with pytest.raises(ClientError) as caught:
        read_answer(request, answer)
    return caught.value


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15))
def test_a_decimal_crosses_json_without_losing_a_digit(value: Decimal) -> None:
    """Any amount is written as a plain number that reads back as the same amount."""
    read = decode(encode({"amount": value}).encode())
    assert read is not None
    assert Decimal(str(read["amount"])) == value


@given(st.text(), st.text())
def test_text_and_keys_cross_json_unchanged(key: str, value: str) -> None:
    """Any text reads back as it was."""
    assert decode(encode({key: [value]}).encode()) == {key: [value]}


def test_a_date_is_written_as_zoho_writes_it() -> None:
    """yyyy-mm-dd."""
    assert encode({"date": date(2026, 10, 9)}) == '{"date":"2026-10-09"}'


@pytest.mark.parametrize("value", [0.1, float("nan"), Decimal("NaN"), Decimal("Infinity")])
def test_what_is_no_exact_amount_is_not_sent(value: object) -> None:
    """A float or a NaN is refused before anything is sent."""
    with pytest.raises((TypeError, ValueError)):
        encode({"amount": value})


def test_an_amount_is_read_with_all_its_digits() -> None:
    """0.1 is the decimal 0.1, and a large one keeps its cents."""
    body = read_answer(READ, said(200, '{"code":0,"a":0.1,"b":90071992547409.93}'))
    assert (body["a"], body["b"]) == (Decimal("0.1"), Decimal("90071992547409.93"))


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, 36004, AlreadyExists),
        (400, 3062, AlreadyExists),
        (404, 1002, NotFound),
        (404, 5, Refused),
        (400, 1038, Refused),
        (400, 6024, Refused),
        (403, 57, NotAllowed),
        (403, 9999, NotAllowed),
        (401, 57, TokenRefused),
        (429, 44, RateLimited),
        (429, 45, RateLimited),
        (429, 1070, RateLimited),
        (200, 1002, NotFound),
        (200, 44, RateLimited),
        (200, 4029, Refused),
    ],
)
def test_each_code_means_what_zoho_means(status: int, code: int, kind: type[ClientError]) -> None:
    """A code decides even where the status says 200, for reads and writes alike: nothing was applied."""
    for request in (READ, WRITE):
        error = error_of(request, said(status, f'{{"code":{code},"message":"because"}}'))
        assert type(error) is kind
        assert (error.code, error.status) == (str(code), status)
        assert "because" in str(error)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, '{"code":1000,"message":"Internal"}'),
        (502, "<html>Bad gateway</html>"),
        (503, ""),
        (504, "upstream"),
        (408, "too slow"),
        (302, ""),
        (200, ""),
        (200, '{"code":0,"invoice":{"invo'),
        (200, "[]"),
        (200, '{"message":"no code"}'),
        (200, '{"code":0,"total":NaN}'),
        (201, "null"),
    ],
)
def test_no_clear_answer_leaves_a_write_unknown_and_a_read_to_repeat(status: int, body: str) -> None:
    """Server errors, redirects and broken JSON say nothing about whether a write was applied."""
    assert type(error_of(WRITE, said(status, body))) is OutcomeUnknown
    assert type(error_of(READ, said(status, body))) is TryLater


def test_a_refusal_without_json_still_is_a_refusal() -> None:
    """400 and 404 with a page of HTML say that nothing was applied."""
    assert type(error_of(WRITE, said(400, "<html>"))) is Refused
    assert type(error_of(WRITE, said(404, "<html>"))) is Refused


@pytest.mark.parametrize(
    ("code", "headers", "seconds"),
    [
        (44, {}, 60.0),
        (44, {"retry_after": "7"}, 7.0),
        (44, {"retry_after": "Fri, 09 Oct 2026 18:26:45 GMT"}, 60.0),
        (44, {"retry_after": "Fri, 09 Oct 2026 18:26:45 GMT", "date": "Fri, 09 Oct 2026 18:26:05 GMT"}, 40.0),
        (44, {"retry_after": "Fri, 09 Oct 2026 18:26:45 GMT", "date": "Fri, 09 Oct 2026 18:27:05 GMT"}, 0.0),
        (44, {"retry_after": "Fri, 09 Oct 2026 18:26:45 GMT", "date": "soon"}, 60.0),
        (44, {"retry_after": "999999999"}, 86_400.0),
        (44, {"retry_after": "-1"}, 60.0),
        (44, {"retry_after": "inf"}, 60.0),
        (1070, {}, 2.0),
        (45, {}, 3600.0),
        (45, {"x_rate_limit_reset": "34395"}, 34395.0),
        (45, {"x_rate_limit_reset": "34395", "retry_after": "5"}, 5.0),
        (0, {}, 60.0),
    ],
)
def test_a_limit_says_when_to_come_back(code: int, headers: dict[str, str], seconds: float) -> None:
    """Retry-After as a number or as a date beside the answer's own, else what each limit is known for."""
    error = error_of(WRITE, said(429, f'{{"code":{code},"message":"blocked"}}', **headers))
    assert error.retry_after == seconds


def test_an_operator_can_read_the_message() -> None:
    """Service, status, code, call, Zoho's words and ours are all in it."""
    error = error_of(WRITE, said(429, '{"code":44,"message":"blocked"}'))
    assert str(error) == "zoho 429 44: POST /invoices: blocked (minute limit of the organisation); again in 60 s"


def test_people_do_not_turn_up_in_messages() -> None:
    """Names we sent, in any letter case, and e-mail addresses are masked; parts of other words are not."""
    request = Request("POST", "/contacts", private=("Ann Lee", "US", ""))
    text = r"The customer \"ann lee\" already exists, says ann@example.com. You must use another in US."
    error = error_of(request, said(400, f'{{"code":3062,"message":"{text}"}}'))
    assert error.message == ('POST /contacts: The customer "…" already exists, says … You must use another in ….')


def test_the_daily_quota_is_read_from_three_headers() -> None:
    """As recorded live: 7500 a day, reset in seconds until the organisation's midnight."""
    now = datetime(2026, 10, 9, 18, 26, 45, tzinfo=UTC)
    headers = {"x-rate-limit-limit": "7500", "x-rate-limit-remaining": "7421", "x-rate-limit-reset": "34395"}
    quota = read_quota(headers, now)
    assert quota is not None
    assert (quota.limit, quota.remaining) == (7500, 7421)
    assert quota.resets_at == datetime(2026, 10, 10, 4, 0, tzinfo=UTC)
    assert quota.resets_at - now == timedelta(seconds=34395)
    assert read_quota({}, now) is None
    assert read_quota(headers | {"x-rate-limit-reset": "soon"}, now) is None
