"""Stills come in parts from anybody who may publish: they are put together, or thrown away, and never too many."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.payload import evidence_part
from gateway.desk.pictures import JPEG, LARGEST, MOST_KEPT, MOST_PARTS, MOST_UNFINISHED, Pictures
from tests.gateway.desk.test_board import make_board

PICTURE = JPEG + bytes(range(256)) * 3
SUM = hashlib.sha256(PICTURE).hexdigest()
CUTS = ((0, 300), (300, 600), (600, len(PICTURE)))


def part(
    start: int, end: int, *, data: bytes = PICTURE, sha256: str = "", what: str = "still", size: int = 0
) -> bytes:
    return evidence_part(
        sha256=sha256 or hashlib.sha256(data).hexdigest(),
        what=what,
        camera="facade",
        made_at=0.0,
        size=size or len(data),
        offset=start,
        data=data[start:end],
    )


def whole(data: bytes, **changed: Any) -> bytes:
    return part(0, len(data), data=data, **changed)


@given(order=st.permutations(CUTS), again=st.lists(st.sampled_from(CUTS), max_size=3))
def test_parts_in_any_order_and_more_than_once_are_one_picture(
    order: list[tuple[int, int]], again: list[tuple[int, int]]
) -> None:
    pictures = Pictures()
    told = [pictures.receive(SUM, part(*cut)) for cut in [*order[:-1], *again, order[-1], *again]]
    assert told.count(True) == 1
    assert pictures.get(SUM) == PICTURE
    assert (pictures.sums, pictures.refused) == ((SUM,), 0)


def test_parts_cut_otherwise_after_a_restart_still_fit() -> None:
    pictures = Pictures()
    pictures.receive(SUM, part(0, 500))
    assert pictures.receive(SUM, part(300, len(PICTURE)))
    assert pictures.get(SUM) == PICTURE


def test_a_picture_that_has_another_sum_is_thrown_away_and_may_come_again() -> None:
    pictures = Pictures()
    forged = PICTURE.replace(b"\x10", b"\x11")
    assert not pictures.receive(SUM, whole(forged, sha256=SUM))
    assert (pictures.get(SUM), pictures.refused) == (None, 1)
    assert pictures.receive(SUM, whole(PICTURE))


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("0" * 64, whole(PICTURE)),
        ("../../etc/passwd", whole(PICTURE, sha256="../../etc/passwd")),
        (SUM, whole(PICTURE, size=LARGEST + 1)),
        (SUM, whole(PICTURE, size=10)),
        (SUM, whole(PICTURE) + b"more"),
        (SUM, b""),
        (SUM, b"[" * 4000 + b"\n"),
        (SUM, json.dumps({"what": "still", "note": "x" * 5000}).encode() + b"\nx"),
        (hashlib.sha256(b"<html>").hexdigest(), whole(b"<html>")),
    ],
)  # fmt: skip
def test_what_is_no_part_of_a_picture_is_refused(topic: str, payload: bytes) -> None:
    pictures = Pictures()
    assert not pictures.receive(topic, payload)
    assert (pictures.refused, pictures.sums) == (1, ())


@given(st.binary(max_size=300))
def test_garbage_does_nothing(payload: bytes) -> None:
    pictures = Pictures()
    assert not pictures.receive(SUM, payload)
    assert pictures.sums == ()


def test_clips_are_left_alone() -> None:
    pictures = Pictures()
    assert not pictures.receive(SUM, part(0, 300, what="clip", size=50_000_000))
    assert (pictures.refused, pictures.sums) == (0, ())


def test_the_oldest_picture_goes_when_there_are_too_many() -> None:
    pictures = Pictures()
    made = [JPEG + str(number).encode() for number in range(MOST_KEPT + 3)]
    for data in made:
        assert pictures.receive(hashlib.sha256(data).hexdigest(), whole(data))
    assert len(pictures.sums) == MOST_KEPT
    assert pictures.get(hashlib.sha256(made[0]).hexdigest()) is None


def test_unfinished_pictures_and_their_parts_are_few() -> None:
    pictures = Pictures()
    pictures.receive(SUM, part(0, 300))
    for number in range(MOST_UNFINISHED):
        data = JPEG + bytes([number]) * 50
        pictures.receive(hashlib.sha256(data).hexdigest(), part(0, 20, data=data))
    assert not pictures.receive(SUM, part(300, len(PICTURE)))  # its beginning is forgotten
    for at in range(1, 2 * MOST_PARTS, 2):
        assert not pictures.receive(SUM, part(at, at + 1))
    assert pictures.refused == 1


def test_the_page_is_told_of_a_picture_once_it_is_whole() -> None:
    board, told = make_board()
    for cut in CUTS:
        board.receive(f"compound/v1/hxtp-01/evidence/{SUM}", part(*cut))
    assert told == [{"picture": SUM}]
    assert board.page()["pictures"] == (SUM,)
