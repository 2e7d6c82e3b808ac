"""The keys of certificates: read, drawn, rotated, checked."""

from __future__ import annotations

from base64 import b64decode, b64encode
from pathlib import Path

import pytest

from clients.errors import SettingsError
from clients.signing import SigningRing, read_public_key, signed_by

# RFC 8032, section 7.1, test 2.
SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def test_it_signs_as_the_rfc_says() -> None:
    """The RFC's own key, message and signature."""
    ring = SigningRing(current="rfc", seeds={"rfc": SEED})
    assert (ring.key_id, ring.public_key, ring.sign(b"\x72")) == ("rfc", PUBLIC, SIGNATURE)
    assert signed_by(PUBLIC, b"\x72", SIGNATURE)
    assert not signed_by(PUBLIC, b"\x73", SIGNATURE)
    assert not signed_by(PUBLIC, b"\x72", SIGNATURE[1:])
    assert not signed_by(b"short", b"\x72", SIGNATURE)


def test_a_rotation_keeps_what_was_signed_ours() -> None:
    """The new key signs; the old one's public half is still told, also after it was written and read."""
    old = SigningRing.generate("a")
    ring = SigningRing.from_text(old.rotated("b").to_text())
    assert ring.key_id == "b"
    assert set(ring.public_keys()) == {"a", "b"}
    assert signed_by(ring.public_keys()["a"], b"x", old.sign(b"x"))
    assert not signed_by(ring.public_key, b"x", old.sign(b"x"))
    with pytest.raises(SettingsError, match="taken"):
        ring.rotated("a")


@pytest.mark.parametrize(
    "text",
    ["", "a", "a:", "a:!!", "a:" + b64encode(b"short").decode(), "a:" + b64encode(bytes(32)).decode(),
     "b c:" + b64encode(SEED).decode(), f"a:{b64encode(SEED).decode()},a:{b64encode(SEED).decode()}"],
)  # fmt: skip
def test_a_bad_key_is_refused_and_not_shown(text: str) -> None:
    """Missing, cut, typed by hand, named wrongly or twice."""
    with pytest.raises(SettingsError) as refusal:
        SigningRing.from_text(text)
    assert b64encode(SEED).decode() not in str(refusal.value)


def test_a_key_is_not_in_its_repr() -> None:
    """A log that shows the ring shows no secret."""
    assert b64encode(SEED).decode() not in repr(SigningRing(current="a", seeds={"a": SEED}))
    assert SEED.hex() not in repr(SigningRing(current="a", seeds={"a": SEED}))


def test_a_public_key_is_read_from_text_or_file(tmp_path: Path) -> None:
    """With or without its id."""
    word = b64encode(PUBLIC).decode()
    file = tmp_path / "key.pub"
    file.write_text(f"s1:{word}\n")
    assert read_public_key(word) == read_public_key(f"s1:{word}") == read_public_key(str(file)) == b64decode(word)
    for bad in ("nothing", b64encode(b"short").decode(), str(tmp_path)):
        with pytest.raises(SettingsError, match="key"):
            read_public_key(bad)
