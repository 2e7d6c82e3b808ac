"""What leaves in a log line, and what never does."""

from __future__ import annotations

import io
import json
import logging
import socket
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.logs import JsonFormatter, RedactingFormatter, about, redact
from clients.telemetry import configure_logging, make_runtime
from clients.temporal import connect, is_ready

WORD = st.text(alphabet="abcdefghijkXYZ0123456789", min_size=8, max_size=30)
SECRETS = st.one_of(
    st.builds("{}{}".format, st.sampled_from(["sk_live_", "rk_test_", "sk_test_", "whsec_"]), WORD),
    st.builds("pi_1_secret_{}".format, WORD),
    st.builds("Zoho-oauthtoken {}".format, WORD),
    st.builds("Authorization: Bearer {}".format, WORD),
    st.builds("refresh_token={}".format, WORD),
    st.builds('"client_secret": "{}"'.format, WORD),
    st.builds("postgresql://user:{}@db.internal/x".format, WORD),
    st.builds("{}@example.com".format, WORD),
    st.builds("https://zoho.example/contacts?email={}%40example.com".format, WORD),
)


def line(message: object, *args: object, exc: Exception | None = None) -> str:
    """The line that a record becomes."""
    info = (type(exc), exc, exc.__traceback__) if exc else None
    record = logging.LogRecord("test", logging.INFO, "x.py", 1, message, args, info)
    return RedactingFormatter().format(record)


def hidden_part(secret: str) -> str:
    """What of a secret must not be seen."""
    return secret.split("_")[-1].split("=")[-1].split(" ")[-1].split("@")[0].split("%40")[0].split(":")[-1].strip('"')


@given(secret=SECRETS, word=st.data())
def test_no_secret_leaves_in_a_line(secret: str, word: st.DataObject) -> None:
    """In a message, an argument, a nested value, JSON or a traceback: the secret part is gone."""
    hidden = hidden_part(secret)
    shapes = (
        line(f"told {secret} today"),
        line("told %s today", secret),
        line("told %r", {"deep": [{"er": secret}]}),
        line(json.dumps({"text": secret})),
        line("broke", exc=ValueError(f"with {secret}")),
    )
    assert hidden not in word.draw(st.sampled_from(shapes))


@pytest.mark.parametrize(
    "text",
    [
        "payment pi_3ABC of order SO-3ABC is 49.90 EUR",
        "queue task_queue, event evt_1 at 2026-08-02T20:00:00Z",
        "http://127.0.0.1:8080/webhooks/stripe/shop",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    """Ids, money, times and addresses of machines are for reading."""
    assert redact(text) == text


def test_a_stranger_cannot_write_a_line() -> None:
    """Line breaks and terminal codes in a message are shown, not obeyed."""
    told = line("refused %s", "x\n2026-01-01 INFO all is well\r\x1b[2J")
    assert "\n" not in told
    assert "\r" not in told
    assert "\x1b" not in told


def test_a_line_says_when_in_utc() -> None:
    """The time is UTC and marked so."""
    record = logging.LogRecord("clients.zoho", logging.WARNING, "x.py", 1, "slow", (), None)
    record.created, record.msecs = 1785700800.0, 7.0
    assert RedactingFormatter().format(record) == "2026-08-02T20:00:00.007Z WARNING clients.zoho slow"


JSON = st.recursive(
    st.none() | st.booleans() | st.text(alphabet='äöü\n"\\', max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet="äöü", max_size=5), inner, max_size=3),
    max_leaves=8,
)


def json_line(message: str, exc: Exception | None = None, **extra: object) -> str:
    """The line that a record with extra fields becomes."""
    info = (type(exc), exc, exc.__traceback__) if exc else None
    record = logging.LogRecord("test", logging.INFO, "x.py", 1, message, (), info)
    record.__dict__.update(extra)
    return JsonFormatter().format(record)


@given(secret=SECRETS, around=JSON)
def test_no_secret_leaves_in_json(secret: str, around: object) -> None:
    """However deep in an extra field, in the message or in a traceback; the line stays one JSON object."""
    hidden = hidden_part(secret)
    for told in (
        json_line("told", deep=[{"er": [secret, around]}]),
        json_line("told", deep={secret: around}),
        json_line(f"told {secret}", exc=ValueError(f"with {secret}")),
    ):
        assert hidden not in told
        assert json.loads(told)["logger"] == "test"
        assert "\n" not in told


def test_a_secret_is_known_by_its_field() -> None:
    """A field that is called password shows stars, whatever it holds."""
    told = json.loads(json_line("told", settings={"zoho_refresh_token": "abc", "port": 1}))
    assert told["settings"] == {"zoho_refresh_token": "***", "port": 1}


@pytest.mark.parametrize("text", ["+49 170 5550199", "+1 (555) 123-4567", "4242 4242 4242 4242", "378282246310005"])
def test_telephone_and_card_numbers_are_masked(text: str) -> None:
    """As people type them."""
    for told in (line(f"call {text} now"), json_line("call", note=f"call {text} now")):
        assert text not in told
        assert "now" in told


@pytest.mark.usefixtures("own_logging")
def test_a_record_tells_what_it_is_about() -> None:
    """In text behind the message, in JSON as fields of their own; outside a block nothing is told."""
    for form in ("text", "json"):
        stream = io.StringIO()
        configure_logging("INFO", stream, form)
        with about(connection="shop"):
            logging.getLogger("test").info("inside", extra={"payment_id": "pi_1"})
        logging.getLogger("test").info("outside")
        inside, outside = stream.getvalue().splitlines()
        assert "shop" in inside
        assert "shop" not in outside
        if form == "json":
            told = json.loads(inside)
            assert (told["connection"], told["payment_id"], told["message"]) == ("shop", "pi_1", "inside")
            assert set(json.loads(outside)) == {"time", "level", "logger", "message"}


@pytest.fixture
def own_logging() -> Iterator[None]:
    """Gives the root logger back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("own_logging")
def test_every_logger_of_the_process_is_redacted() -> None:
    """Libraries' loggers go through the same formatter, and chatter below WARNING is left out."""
    stream = io.StringIO()
    configure_logging("INFO", stream)
    logging.getLogger("somebody.else").info("key %s", "sk_live_0123456789")
    logging.getLogger("httpx").info("GET https://example.com/?code=1")
    assert "key sk_***" in stream.getvalue()
    assert "httpx" not in stream.getvalue()


async def test_temporals_metrics_are_served_in_seconds() -> None:
    """A runtime with an address serves Temporal's metrics there; two of them cannot share one."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{found.getsockname()[1]}"
    runtime = make_runtime(address)
    await is_ready(await connect("127.0.0.1:1", lazy=True, runtime=runtime))
    async with httpx.AsyncClient() as scraper:
        assert (await scraper.get(f"http://{address}/metrics")).status_code == 200
    with pytest.raises(ValueError):
        make_runtime(address)
