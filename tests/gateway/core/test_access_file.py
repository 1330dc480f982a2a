"""The list as people write it: every fault with its place, and what Chinese Excel makes of a file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.access_file import MOST_WITH_ONE_PIN, Read, read, read_bytes
from gateway.core.cards import written

HEAD = "card,pin,holder,doors,schedule,valid_from,valid_until,blocked,note\n"
GOOD = (
    HEAD
    + "0012345678,,2-1-301 住户 A,building=2/unit=1 gate-east,,,,,\n"
    + '"12,34567",482913,物业 保洁 B,*,workdays|nights,2026-01-01,2026-12-31,no,早班\n'
)


def told(text: str) -> list[tuple[int | None, str, str]]:
    """Return the faults of a file as (line, column, what was found)."""
    return [(fault.line, fault.key, fault.found.en) for fault in read(text).faults]


def test_a_good_file_is_read_whole() -> None:
    first, second = read(GOOD).rows
    assert (first.card, first.pin, first.holder) == (written("0012345678"), None, "2-1-301 住户 A")
    assert first.doors == ("building=2/unit=1", "gate-east")
    assert (second.card, second.pin) == (written("12:34567"), "482913")
    assert second.schedules == ("workdays", "nights")
    assert (second.blocked, second.note) == (False, "早班")


def test_days_are_local_and_the_last_one_counts_whole() -> None:
    row = read(GOOD).rows[1]
    assert row.valid_from == 1_767_225_600.0 - 8 * 3600  # 2026-01-01 00:00 +08:00
    assert row.valid_until == 1_798_761_600.0 - 8 * 3600  # 2027-01-01 00:00 +08:00


@pytest.mark.parametrize(
    "day", ["2026-12-31 18:00", "2026/12/31 18:00", "2026.12.31 18:00", "2026-12-31T18:00:00"]
)
def test_a_time_of_day_counts_as_it_is(day: str) -> None:
    row = read(f"card,holder,doors,valid_until\n1:2,A,*,{day}\n").rows[0]
    assert row.valid_until == 1_798_740_000.0 - 8 * 3600


@pytest.mark.parametrize(
    "data",
    [
        GOOD.encode(),
        GOOD.encode("utf-8-sig"),
        GOOD.encode("gbk"),
        GOOD.encode("utf-16"),
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.replace("\n", "\r").encode(),
        GOOD.replace('"12,34567"', "12:34567").replace(",", ";").encode("gbk"),
        GOOD.replace('"12,34567"', "12:34567").replace(",", "\t").encode("utf-16"),
    ],
    ids=["utf-8", "BOM", "GBK", "UTF-16", "CRLF", "CR", "GBK with semicolons", "UTF-16 with tabs"],
)
def test_it_is_taken_as_excel_writes_it(data: bytes) -> None:
    assert read_bytes(data) == read(GOOD)


def test_columns_stand_in_any_order_and_may_be_chinese() -> None:
    row = read("门,持卡人,卡号,停用\n*,2-1-301 住户 A,12:34567,是\n").rows[0]
    assert (row.card, row.doors, row.blocked) == (written("12:34567"), ("*",), True)


def test_empty_lines_and_quoted_line_breaks_do_not_shift_the_line_numbers() -> None:
    text = HEAD + "\n,,,,,,,,\n" + '1:2,,A,*,,,,,"two\nlines"\n' + "1:3,,B,*,,,,maybe,\n"
    assert told(text) == [(5, "note", '"two�lines"'), (6, "blocked", '"maybe"')]


def test_all_faults_are_told_at_once() -> None:
    text = (
        HEAD
        + "12345678,,A,*,,,,,\n"
        + "1:2,12,,,,,,,\n"
        + "1:3,,B,bulding=2,a/b,2026-02-30,morgen,,\n"
        + ",,C,*,,,,,\n"
        + "1:4,,D,*,,,,,,extra\n"
        + "1:5,,E,*,,,,,\n"
        + "01:00005,,F,*,,,,,\n"
    )
    assert told(text) == [
        (2, "card", "8 characters …5678"),
        (3, "pin", "2 characters"),
        (3, "holder", "nothing"),
        (3, "doors", "nothing"),
        (4, "doors", '"bulding=2"'),
        (4, "schedule", '"a/b"'),
        (4, "valid_from", '"2026-02-30"'),
        (4, "valid_until", '"morgen"'),
        (5, "card", "nothing"),
        (6, "line", "10 cells"),
        (8, "card", "…0005, as in line 7 already"),
    ]


def test_a_fault_says_how_to_mend_it() -> None:
    faults = read(HEAD + "12345678,,A,bulding=2,,,,,\n").faults
    assert [fault.hint.en if fault.hint else "" for fault in faults] == [
        "Excel drops leading zeros: format the column as text; write 0x before a hexadecimal number of digits only",
        "did you mean building?",
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "an empty file"),
        ("\n\n", "an empty file"),
        ("holder,doors\nA,*\n", "no column card"),
        ("card,doors\n1:2,*\n", "no column holder"),
        ("card,holder,doors,colour\n", "an unknown column colour"),
        ("card,card,holder,doors\n", "card twice"),
        (HEAD + '"1:2,,A,*\n', "unexpected end of data"),
    ],
)
def test_what_is_no_list_is_told(text: str, found: str) -> None:
    assert [fault.found.en for fault in read(text).faults] == [found]


def test_what_is_no_text_is_told() -> None:
    assert read_bytes(b"card\xff\xff\xff").faults[0].key == "file"


def test_people_without_cards_have_pins_of_their_own() -> None:
    head = "pin,holder,doors\n"
    assert told(head + "4829,A,*\n4829,B,*\n") == [(3, "pin", "the PIN of line 2")]
    assert told(head + "4829,A,*\n4830,B,*\n") == []


def test_a_pin_is_shared_by_a_household_and_not_by_a_street() -> None:
    lines = [f"1:{n},4829,A,*\n" for n in range(MOST_WITH_ONE_PIN)]
    assert told("card,pin,holder,doors\n" + "".join(lines)) == []
    assert len(told("card,pin,holder,doors\n" + "".join(lines) + "1:999,4829,B,*\n")) == 1


def test_neither_cards_nor_pins_are_in_a_repr_or_a_fault() -> None:
    wrong = HEAD + "9123456780123,12345678901,A,?,,0098765432,98:76543,,\n"
    shown = repr(read(GOOD)) + repr(read(wrong)) + str([str(fault) for fault in read(wrong).faults])
    for secret in ("12345678", "820999", "482913", "9123456780123", "12345678901", "98765432", "76543"):
        assert secret not in shown


def check(found: Read) -> None:
    for row in found.rows:
        assert row.card is not None or row.pin is not None
        assert row.holder
        assert row.doors
    for fault in found.faults:
        assert all((fault.found.zh, fault.found.en, fault.wanted.zh, fault.wanted.en))


@given(st.binary(max_size=400))
def test_garbage_is_faults_and_nothing_else(data: bytes) -> None:
    check(read_bytes(data))
    check(read_bytes(HEAD.encode() + data))


@given(st.lists(st.lists(st.text(max_size=12), min_size=9, max_size=9), max_size=5))
def test_garbage_in_cells_is_faults_and_nothing_else(lines: list[list[str]]) -> None:
    check(read(HEAD + "".join(",".join(cells) + "\n" for cells in lines)))
