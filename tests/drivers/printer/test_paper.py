"""Paper: the bytes a repair firm published, byte by byte, codes of all makers, noise, and never a stall."""

import functools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers import profile
from drivers.printer.paper import MOST_SKIPPED, Paper
from drivers.printer.records import Record, Records
from drivers.printer.rules import Meaning, meaning_of
from drivers.printer.wire import PrinterWire

FIRST_FIRE = bytes.fromhex(
    "1B 36 30 38 2F 31 32 2F 30 32 20 20 31 37 3A 32 34 0A 20 20 30 30 34 2D 30 30 34 0A 1B 39 CA D7 B4 CE BB F0"
    "BE AF 0A C8 B9 C2 A5 D2 BB B2 E3 C9 CF BF D5 0A B8 D0 D1 CC CC BD B2 E2 C6 F7 0A 0A"
)
NEXT_FIRE = bytes.fromhex(
    "1B 36 30 38 2F 31 32 2F 30 32 20 20 31 37 3A 32 31 0A 20 20 30 30 36 2D 30 30 37 0A 1B 39 BB F0 BE AF BA F3"
    "D0 F8 0A D6 D0 D1 CC C1 F9 B2 E3 BC C6 BB AE B2 BF 0A B8 D0 D1 CC CC BD B2 E2 C6 F7 0A 0A"
)
RESET = bytes.fromhex(
    "1B 36 30 38 2F 31 32 2F 30 32 20 20 31 37 3A 32 35 0A 20 20 0A 1B 39 CF B5 CD B3 B8 B4 CE BB 0A 0A"
)
"""What a GST9000 prints, from the pages that its profile names."""


@functools.cache
def wire(name: str = "gst9000-printer") -> PrinterWire:
    made = profile.load(name).wire
    assert isinstance(made, PrinterWire)
    return made


def records(data: bytes, name: str = "gst9000-printer", *, piece: int = 10_000) -> list[Record]:
    """Return what stands on the paper when bytes come in pieces, the last of them followed by silence."""
    paper, together = wire(name).paper(), wire(name).records()
    found: list[Record] = []
    for start in range(0, len(data), piece):
        found += together.take(paper.feed(data[start : start + piece]))
    return [*found, *together.take(paper.rest()), *together.rest()]


def meanings(data: bytes, name: str = "gst9000-printer", *, piece: int = 10_000) -> list[Meaning | None]:
    made = wire(name)
    return [meaning_of(each.text, made.rules, made.addressing) for each in records(data, name, piece=piece)]


def known(found: list[Meaning | None]) -> list[tuple[str, int] | None]:
    """Return which rule knew each record, and the address it found."""
    return [None if each is None else (each.rule.name, each.address) for each in found]


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 10_000])
def test_the_published_bytes_of_a_panel_are_its_fires_and_its_reset(piece: int) -> None:
    found = meanings(FIRST_FIRE + NEXT_FIRE + RESET, piece=piece)
    assert known(found) == [("smoke", 4004), ("smoke", 6007), ("reset", 0)]
    assert [each.place for each in found if each] == ["裙楼一层上空", "中烟六层计划部", ""]


def test_a_record_that_is_cut_off_is_taken_as_it_is_when_nothing_comes_any_more() -> None:
    (cut,) = records(FIRST_FIRE[:-2])
    assert cut.text.endswith("感烟探测器")
    assert known(meanings(FIRST_FIRE[:40])) == [("fire", 4004)], "cut within the place"
    damaged = FIRST_FIRE.replace(b"004-004", b"0\x01\x0204")
    assert known(meanings(damaged)) == [("fire_somewhere", 0)], "a fire without its address is the panel's"


def test_a_record_that_lost_its_end_does_not_swallow_the_next() -> None:
    assert known(meanings(FIRST_FIRE[:-2] + NEXT_FIRE)) == [("smoke", 4004), ("smoke", 6007)]


def test_paper_that_runs_out_in_the_middle_of_a_record_does_not_part_it() -> None:
    cut = FIRST_FIRE.index(b"\x1b9")
    assert known(meanings(FIRST_FIRE[:cut] + b"\x0c" + FIRST_FIRE[cut:])) == [("smoke", 4004)]


@pytest.mark.parametrize(
    "code",
    [
        b"\x1b@", b"\x1b!\x30", b"\x1bJ\x0a", b"\x1b3\x0d", b"\x1bd\x0c", b"\x1b$\x0a\x0d", b"\x1d!\x11", b"\x1dV\x01",
        b"\x1c!\x0c", b"\x1c&", b"\x1bK\x03\x00\x0a\x0d\x0c", b"\x1b*\x21\x01\x00\x0a\x0a\x0a", b"\x1bp\x00\x3c\xff",
        b"\x1dv0\x00\x02\x00\x02\x00\x0a\x0d\x0c\x1b", b"\x10\x04\x01", b"\x00", b"\x11", b"\x13",
    ],
)  # fmt: skip
def test_what_a_printer_is_told_leaves_no_mark(code: bytes) -> None:
    paper = Paper(encoding="gb18030", longest=80)
    (line,) = paper.feed("火".encode("gb18030") + code + "警\n".encode("gb18030"))
    assert (line.text, line.broken) == ("火警", 0)


def test_noise_like_the_head_of_a_huge_picture_eats_no_fire() -> None:
    paper = Paper(encoding="gb18030", longest=80)
    paper.feed(b"\x1dv0\x00\xff\xff\xff\xff")
    paper.feed(bytes(MOST_SKIPPED))
    (line,) = paper.feed(b"FIRE\n")
    assert line.text == "FIRE"
    paper.feed(b"\x1bK\xff\xff")
    paper.rest()  # a second of silence
    (line,) = paper.feed(b"FIRE\n")
    assert line.text == "FIRE"


def test_a_line_that_never_ends_is_cut_and_not_kept_for_ever() -> None:
    lines = Paper(encoding="ascii", longest=80).feed(b"x" * 1000)
    assert [len(line.text) for line in lines] == [80] * 12


def test_a_line_end_is_one_however_it_is_told() -> None:
    lines = Paper(encoding="ascii", longest=80).feed(b"a\r\nb\rc\nd\x0be\x0c")
    assert [line.text for line in lines] == ["a", "b", "c", "d", "e"]


def test_what_is_no_text_is_known_to_be_unreadable() -> None:
    (noise,) = records(bytes(range(0x80, 0x100)) + b"\n\n")
    assert not noise.readable
    (one_bad,) = records(FIRST_FIRE.replace(b"\xc8\xb9", b"\xff\xff"))
    assert one_bad.readable, "a letter that is lost does not make a fire unreadable"


def test_a_long_record_is_cut_to_what_patterns_were_reckoned_for() -> None:
    (record,) = Records(lines=3, longest=50).take(Paper(encoding="ascii", longest=50).feed(b"y" * 150))
    assert len(record.text) == 50


@given(st.binary(max_size=200), st.integers(1, 50))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_read_alike_however_they_are_cut(data: bytes, piece: int) -> None:
    whole = records(data)
    assert [each.text for each in records(data, piece=piece)] == [each.text for each in whole]
    for record in whole:
        assert len(record.text) <= wire().longest
        meaning_of(record.text, wire().rules, wire().addressing)


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_after_any_noise_and_a_pause_a_fire_is_a_fire(noise: bytes) -> None:
    made = wire()
    paper, together = made.paper(), made.records()
    list(together.take(paper.feed(noise)))
    list(together.take(paper.rest()))
    list(together.rest())
    (record,) = together.take(paper.feed(FIRST_FIRE))
    assert known([meaning_of(record.text, made.rules, made.addressing)]) == [("smoke", 4004)]
