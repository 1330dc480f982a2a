"""A part of evidence is what it says, or refused; bytes are known by how they begin."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.desk.evidence import parts
from gateway.desk.evidence.parts import LARGEST, PartError, covered, has
from gateway.desk.media import media_of, suits
from tests.desk_evidence import STILL, part, sum_of

SUM = sum_of(STILL)


def test_a_part_says_of_what_it_is_and_where_in_it() -> None:
    told = parts.read(SUM, part(STILL, 100, 300))
    assert (told.sha256, told.what, told.size, told.offset, told.end) == (SUM, "still", len(STILL), 100, 300)
    assert told.data == STILL[100:300]


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a" * 64, part(STILL, 0, 9), "another sum"),
        ("../" + SUM, part(STILL, 0, 9), "no SHA-256"),
        (SUM.upper(), part(STILL, 0, 9), "no SHA-256"),
        (SUM, b"", "Input data was truncated"),
        (SUM, b"{" * 4000, "bytes"),
        (SUM, part(STILL, 0, 9) + b"more", "said to be 9"),
        (SUM, part(STILL, 0, 0), "0 bytes"),
        (SUM, part(STILL, 9, 99, size=20), "90 bytes at 9 of 20"),
        (SUM, part(STILL, 0, 9, size=LARGEST["still"] + 1), "at most"),
        (SUM, part(STILL, 0, 9, what="clip", size=LARGEST["clip"] + 1), "Expected"),
        (SUM, part(STILL, 0, 9, what="program"), "Invalid enum value"),
        (SUM, b"\n".join((b"[" * 2000, b"x")), "Expected"),
    ],
)
def test_what_is_no_part_is_refused(name: str, content: bytes, why: str) -> None:
    with pytest.raises(PartError, match=why):
        parts.read(name, content)


@given(st.binary(max_size=300))
def test_garbage_is_refused_and_nothing_else(garbage: bytes) -> None:
    with pytest.raises(PartError):
        parts.read(SUM, garbage)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9)), min_size=1))
def test_spans_hold_exactly_the_bytes_that_came(cuts: list[tuple[int, int]]) -> None:
    spans: list[tuple[int, int]] = []
    came: set[int] = set()
    for start, length in cuts:
        spans = covered(spans, (start, start + length))
        came |= set(range(start, start + length))
    assert {byte for start, end in spans for byte in range(start, end)} == came
    assert all(first[1] < second[0] for first, second in itertools.pairwise(spans))
    for byte in range(40):
        assert has(spans, byte, byte + 1) == (byte in came)


@pytest.mark.parametrize(
    ("beginning", "media"),
    [
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "image/png"),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"\x00\x00\x00\x20ftypisom", "video/mp4"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", None),
        (b"<svg onload=alert(1)>", None),
        (b"<!doctype html>", None),
        (b"GIF89a", None),
        (b"", None),
    ],
)
def test_bytes_are_known_by_how_they_begin(beginning: bytes, media: str | None) -> None:
    assert media_of(beginning) == media


def test_a_still_is_a_jpeg_a_clip_a_film_and_a_photo_any_picture() -> None:
    assert suits("still", "image/jpeg")
    assert not suits("still", "image/png")
    assert suits("clip", "video/mp4")
    assert not suits("clip", "image/jpeg")
    assert suits("photo", "image/webp")
    assert not suits("photo", "video/mp4")
    assert not suits("photo", None)
