"""Card numbers are found however people type them, and what only looks like one is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cards import mask_cards


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("4242424242424242", "****4242"),
        ("4242 4242 4242 4242", "****4242"),
        ("4242-4242-4242-4242", "****4242"),
        ("my card is 5555555555554444, thanks", "my card is ****4444, thanks"),
        ("378282246310005", "****0005"),
        ("3782 822463 10005", "****0005"),
        ("36227206271667", "****1667"),
        ("6011111111111117", "****1117"),
        ("3566002020360505", "****0505"),
        ("2223003122003222", "****3222"),
        ("6205500000000000004", "****0004"),
        ("4242 4242 4242 4242 12 29 123", "****4242 12 29 123"),
        ("order 77 4242 4242 4242 4242", "order 77 ****4242"),
        ("4242424242424242 5555555555554444", "****4242 ****4444"),
        ("card:4242424242424242", "card:****4242"),
        ('{"note":"4242424242424242"}', '{"note":"****4242"}'),
    ],
)
def test_a_card_number_is_reduced_to_its_last_four_digits(typed: str, kept: str) -> None:
    """In one piece, in groups, with the expiry behind it, two in a row."""
    assert mask_cards(typed) == kept


@pytest.mark.parametrize(
    "text",
    [
        "4242424242424241",  # wrong check digit
        "4006381333931",  # an article's bar code
        "pi_4242424242424242",
        "SO-4242424242424242x",
        "+49 170 5550199",
        "+4242424242424242",
        "9999999999999995",  # nobody issues these
        "2026-11-25 23:05:04",
        "1785700800000",
        "49.90 EUR",
        "",
    ],
)
def test_what_only_looks_like_one_stays(text: str) -> None:
    """Ids, bar codes, telephone numbers and times are for reading."""
    assert mask_cards(text) == text


@given(st.text())
def test_masking_twice_is_masking_once(text: str) -> None:
    """What is left holds no card number."""
    assert mask_cards(mask_cards(text)) == mask_cards(text)


@given(st.text(alphabet="0123456789 -", max_size=60), st.sampled_from([" ", "-", ""]))
def test_no_whole_number_is_left(noise: str, gap: str) -> None:
    """Whatever digits stand before it, a number that begins a group is found."""
    card = gap.join(["4242", "4242", "4242", "4242"])
    assert "424242424242" not in mask_cards(f"{noise} a {card}").replace(" ", "").replace("-", "").split("a")[-1]
