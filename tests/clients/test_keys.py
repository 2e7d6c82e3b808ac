"""What the keys promise: sealed to its place, readable after a rotation, silent about itself."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.errors import SettingsError
from clients.keys import KeyRing, Tampered, UnknownKey

RING = KeyRing.generate()


@given(plain=st.binary(max_size=200), aad=st.binary(max_size=40))
def test_what_was_encrypted_is_read_back(plain: bytes, aad: bytes) -> None:
    """Any bytes, bound to any record, come back as they were."""
    assert RING.decrypt(RING.encrypt(plain, aad), aad) == plain


def test_another_record_cannot_read_it() -> None:
    """A ciphertext copied to another tenant's row fails to decrypt."""
    sealed = RING.encrypt(b"token", b"shop-a")
    with pytest.raises(Tampered):
        RING.decrypt(sealed, b"shop-b")


def test_every_changed_byte_and_every_cut_is_noticed() -> None:
    """No single byte can be changed and no tail cut without an error, header included."""
    sealed = RING.encrypt(b"Ada", b"row")
    for place in range(len(sealed)):
        changed = sealed[:place] + bytes((sealed[place] ^ 1,)) + sealed[place + 1 :]
        with pytest.raises((Tampered, UnknownKey)):
            RING.decrypt(changed, b"row")
        with pytest.raises(Tampered):
            RING.decrypt(sealed[:place], b"row")


def test_the_key_id_is_authenticated() -> None:
    """Two ids of the same key are not interchangeable."""
    key = RING.keys["k1"]
    ring = KeyRing(current="aa", keys={"aa": key, "bb": key})
    sealed = ring.encrypt(b"x", b"")
    with pytest.raises(Tampered):
        ring.decrypt(sealed.replace(b"aa", b"bb", 1), b"")


def test_nonces_do_not_repeat() -> None:
    """100,000 encryptions of the same bytes have 100,000 nonces."""
    start = 2 + len("k1")
    assert len({RING.encrypt(b"", b"")[start : start + 12] for _ in range(100_000)}) == 100_000


def test_a_rotation_keeps_old_rows_readable_and_writes_with_the_new_key() -> None:
    """Old ciphertext decrypts after a rotation; new ciphertext needs the new key."""
    old = RING.encrypt(b"old", b"r")
    ring = RING.rotated("k2")
    assert ring.decrypt(old, b"r") == b"old"
    with pytest.raises(UnknownKey, match="'k2'"):
        RING.decrypt(ring.encrypt(b"new", b"r"), b"r")


def test_a_rotation_changes_no_pseudonym() -> None:
    """References made before a rotation are found after it, also when the ring went through a file."""
    before = RING.pseudonym(b"ada@example.com")
    after = KeyRing.from_text(RING.rotated("k2").rotated("k3").to_text())
    assert after.current == "k3"
    assert after.pseudonym(b"ada@example.com") == before
    assert KeyRing.generate().pseudonym(b"ada@example.com") != before


def test_text_round_trip() -> None:
    """What to_text writes, from_text reads."""
    ring = RING.rotated("2026-12")
    assert KeyRing.from_text(f" {ring.to_text()}\n") == ring


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no key is set"),
        ("justakey", "id:base64"),
        ("k1:%%%", "not base64"),
        ("k1:" + b64encode(b"short").decode(), "5 bytes"),
        ("k1:" + b64encode(b"a" * 32).decode(), "not random"),
        ("k 1:" + b64encode(bytes(range(32))).decode(), "letters, digits"),
        pytest.param(f"{RING.to_text()},{RING.to_text()}", "each id once", id="twice"),  # its text is another each time
    ],
)
def test_a_wrong_setting_is_refused_with_a_sentence(text: str, says: str) -> None:
    """Each wrong text is refused, the sentence says what is wrong, and no key is in it."""
    with pytest.raises(SettingsError, match=says) as refused:
        KeyRing.from_text(text)
    assert b64encode(RING.keys["k1"]).decode() not in str(refused.value)


def test_a_ring_does_not_show_its_keys() -> None:
    """Neither repr nor str of a ring holds a key's bytes."""
    assert repr(RING) == "KeyRing(current='k1')"
