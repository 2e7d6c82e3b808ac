"""One document has one form."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.canonical import NotCanonical, canonical, digest, parse

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda below: st.lists(below) | st.dictionaries(st.text(st.characters(max_codepoint=127)), below),
)


@given(VALUES)
def test_it_is_read_back_as_it_was(value: Any) -> None:
    """And written again it has the same bytes."""
    form = canonical(value)
    assert parse(form) == value
    assert canonical(parse(json.dumps(value, indent=3))) == form


def test_the_form_is_that_of_rfc_8785() -> None:
    """Its own example, without the floats: sorted keys, no spaces, the escapes it names, UTF-8."""
    given = {"string": '€$\u000f\nA\'B"\\\\"/', "literals": [None, True, False], "numbers": [333333333, 0, -1]}
    wanted = '{"literals":[null,true,false],"numbers":[333333333,0,-1],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    assert canonical(given) == wanted.encode()
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})
    assert digest({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"a": [1, 1.0]}, r"a\[1\] is a float"),
        ({"a": {"b": 2**53}}, "a.b is 9007199254740992, beyond"),
        ({"é": 1}, "no ASCII text"),
        ({1: 1}, "no ASCII text"),
        ({"a": b""}, "a is a bytes"),
        ("\ud800", "half a character"),
    ],
)
def test_what_has_several_forms_is_refused(value: Any, says: str) -> None:
    """Floats, numbers that a reader would round, half characters: with the place."""
    with pytest.raises(NotCanonical, match=says):
        canonical(value)
