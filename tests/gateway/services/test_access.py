"""What people present at readers, and what comes of it: the door, the reader's lamp, the record. In virtual time."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.api import Presented
from gateway.core.access import AccessList, DoorFacts, Entry, Terms
from gateway.core.cards import written
from gateway.core.events import AccessBody, Body, Clock, NoteBody, Place
from gateway.core.schedule import parse
from gateway.runtime.stream import Stamp
from gateway.services.access.admission import Admission
from gateway.services.access.book import Book
from gateway.services.access.readers import REFUSALS_A_MINUTE
from tests import virtual
from tests.cards import keys, presented, wiegand

NOON = 1_795_406_400.0  # Monday 2026-11-23 12:00 in China
LIST = """card,pin,holder,doors,schedule,valid_from,valid_until,blocked,note
12:34567,482913,2-1-301 住户 A,building=2,,,,,
12:34568,,2-1-302 住户 B,*,nights,,,,
12:34569,,2-1-303 住户 C,*,,,2026-11-01,,
12:34570,,2-1-304 住户 D,*,,,,yes,
,7777,访客 E,gate-pin,,,,,
,700001,访客 F,gate,,,,,
,700002,访客 G,gate-pin,,,,yes,
,700003,访客 H,gate-pin,,,2026-11-01,,
,700004,访客 I,gate-pin,,2027-11-01,,,
,700005,访客 J,gate-pin,nights,,,,
"""
DOORS = (
    DoorFacts("gate", Place(building="2"), ("reader-1", "reader-2"), "card", 5.0),
    DoorFacts("gate-pin", Place(building="2"), ("reader-pin",), "card_or_pin", 7.0),
    DoorFacts("gate-both", Place(building="2"), ("reader-both",), "card_and_pin", 9.0),
)
SCHEDULES = {"nights": parse(["daily 22:00-06:00"])}
A, B, C, D, UNKNOWN = (written(f"12:{34567 + n}") for n in (0, 1, 2, 3, 9))


class Yard:
    """Readers, doors and a record, all of them here."""

    def __init__(self, folder: Path, *, open_it: bool = True) -> None:
        self.opened: list[tuple[str, float, str]] = []
        self.shown: list[tuple[str, str]] = []
        self.told: list[Body] = []
        self.clock, self.locked_down = Clock.SYNCED, False
        self.at = 0.0
        self.book = Book(folder, DOORS, SCHEDULES, submit=self.told.append)
        self.admission = Admission(
            DOORS,
            Terms(SCHEDULES),
            self.book,
            submit=self.told.append,
            grant=lambda door, seconds, who: self.opened.append((door, seconds, who)),
            feedback=lambda reader, what: self.shown.append((reader, what)),
            now=self.now,
            locked_down=lambda _: self.locked_down,
        )

    def now(self) -> Stamp:
        at = self.at
        if not at:
            at = asyncio.get_running_loop().time()
        return Stamp(NOON + at, at, self.clock)

    async def load(self, text: str = LIST) -> None:
        await self.book.open()
        await self.book.take(await self.book.read(text.encode()), "test", force=True)
        self.told.clear()

    def show(self, report: Presented) -> None:
        self.admission.presented(report)

    def reasons(self) -> list[str]:
        return [body.reason for body in self.told if isinstance(body, AccessBody)]


def at_the_doors(folder: Path, act: Callable[[Yard], Awaitable[None]]) -> Yard:
    """Let `act` happen at doors with a list, with the service running."""

    async def main() -> Yard:
        yard = Yard(folder)
        await yard.load()
        running = asyncio.create_task(yard.admission.run())
        await act(yard)
        await asyncio.sleep(0)
        running.cancel()
        await yard.book.close()
        return yard

    return virtual.run(main())


def test_a_card_opens_its_door_and_the_record_says_who(tmp_path: Path) -> None:
    async def act(yard: Yard) -> None:
        yard.show(presented(A))

    yard = at_the_doors(tmp_path, act)
    assert yard.opened == [("gate", 5.0, "2-1-301 住户 A")]
    assert yard.shown == [("reader-1", "granted")]
    assert yard.told == [AccessBody("gate", "reader-1", True, "granted", "…4567", "2-1-301 住户 A")]


@pytest.mark.parametrize(
    ("card", "reason"), [(UNKNOWN, "unknown_card"), (B, "not_now"), (C, "expired"), (D, "blocked")]
)
def test_another_card_opens_nothing_and_the_record_says_why(
    tmp_path: Path, card: object, reason: str
) -> None:
    async def act(yard: Yard) -> None:
        yard.show(presented(card))  # type: ignore[arg-type]

    yard = at_the_doors(tmp_path, act)
    assert yard.opened == []
    assert yard.shown == [("reader-1", "denied")]
    assert yard.reasons() == [reason]


def test_nobody_gets_in_before_the_list_is_loaded(tmp_path: Path) -> None:
    async def main() -> list[str]:
        yard = Yard(tmp_path)
        yard.show(presented(A))
        return yard.reasons()

    assert virtual.run(main()) == ["not_ready"]


def test_a_reader_without_a_door_and_a_misread_card_are_told(tmp_path: Path) -> None:
    async def act(yard: Yard) -> None:
        yard.show(presented(A, reader="reader-9"))
        frame = bytes([wiegand(26, A.number)[0] ^ 0x80, *wiegand(26, A.number)[1:]])
        yard.show(Presented("reader-1", "card", 26, frame, 0.0))
        yard.show(Presented("reader-1", "card", 31, b"\x12\x34\x56\x78", 0.0))

    assert at_the_doors(tmp_path, act).reasons() == ["no_door", "bad_parity", "no_card"]


def test_a_locked_down_door_opens_for_nobody(tmp_path: Path) -> None:
    async def act(yard: Yard) -> None:
        yard.locked_down = True
        yard.show(presented(A))

    yard = at_the_doors(tmp_path, act)
    assert (yard.opened, yard.reasons()) == ([], ["locked_down"])


def test_a_card_that_is_held_to_the_reader_is_one_line_of_the_record(tmp_path: Path) -> None:
    async def act(yard: Yard) -> None:
        for _ in range(10):
            yard.show(presented(A))
            await asyncio.sleep(0.25)
        await asyncio.sleep(10)
        yard.show(presented(A))

    yard = at_the_doors(tmp_path, act)
    assert yard.reasons() == ["granted", "granted"]
    assert len(yard.opened) == 11


def test_wrong_pins_one_after_the_other_are_each_written_down(tmp_path: Path) -> None:
    async def act(yard: Yard) -> None:
        yard.show(keys("0001#0002#0001#", reader="reader-pin"))

    assert at_the_doors(tmp_path, act).reasons() == ["pin_wrong"] * 3


def test_a_pin_alone_opens_where_the_door_says_so(tmp_path: Path) -> None:
    async def act(yard: Yard) -> None:
        for key in "482913#":
            yard.show(keys(key, reader="reader-pin"))
            await asyncio.sleep(1)
        yard.show(keys("7777#", reader="reader-pin"))
        yard.show(keys("482913#", reader="reader-1"))

    yard = at_the_doors(tmp_path, act)
    assert [who for _, _, who in yard.opened] == ["2-1-301 住户 A", "访客 E"]
    assert yard.reasons() == ["granted", "granted", "pin_not_taken"]


def test_card_and_pin_together_open_where_the_door_wants_both(tmp_path: Path) -> None:
    async def act(yard: Yard) -> None:
        yard.show(presented(A, reader="reader-both"))
        await asyncio.sleep(5)
        yard.show(keys("482913#", reader="reader-both"))

    yard = at_the_doors(tmp_path, act)
    assert yard.opened == [("gate-both", 9.0, "2-1-301 住户 A")]
    assert yard.shown == [("reader-both", "pin"), ("reader-both", "granted")]
    assert yard.reasons() == ["granted"]


def test_a_card_whose_pin_never_comes_is_told_after_fifteen_seconds(tmp_path: Path) -> None:
    async def act(yard: Yard) -> None:
        yard.show(presented(A, reader="reader-both"))
        await asyncio.sleep(16)
        yard.show(keys("482913#", reader="reader-both"))

    yard = at_the_doors(tmp_path, act)
    assert yard.opened == []
    assert yard.reasons() == ["pin_missing", "card_missing"]


def test_a_card_waiting_for_its_pin_gives_way_to_the_next(tmp_path: Path) -> None:
    async def act(yard: Yard) -> None:
        yard.show(presented(A, reader="reader-both"))
        yard.show(presented(UNKNOWN, reader="reader-both"))
        yard.show(keys("482913#", reader="reader-both"))

    assert at_the_doors(tmp_path, act).reasons() == ["pin_missing", "unknown_card", "card_missing"]


def test_who_guesses_pins_waits_longer_and_longer_and_is_told_and_cards_go_on(tmp_path: Path) -> None:
    async def act(yard: Yard) -> None:
        for _ in range(5):
            yard.show(keys("0001#", reader="reader-pin"))
            await asyncio.sleep(3)
        yard.show(keys("482913#", reader="reader-pin"))
        yard.show(presented(A, reader="reader-pin"))
        await asyncio.sleep(31)
        yard.show(keys("482913#", reader="reader-pin"))

    yard = at_the_doors(tmp_path, act)
    assert yard.reasons() == ["pin_wrong"] * 5 + ["too_many_pins", "granted", "granted"]
    notes = [body for body in yard.told if isinstance(body, NoteBody)]
    assert [note.what for note in notes] == ["door.pin_guessing"]
    assert "30 s" in notes[0].detail


@pytest.mark.parametrize(
    ("pin", "reason", "guessed"),
    [
        ("700001", "not_this_door", True),
        ("700002", "blocked", True),
        ("700003", "expired", True),
        ("700004", "not_yet_valid", True),
        ("700005", "not_now", False),
    ],
)
def test_a_pin_that_opens_nothing_is_a_guess_but_for_one_at_the_wrong_time_of_day(
    tmp_path: Path, pin: str, reason: str, guessed: bool
) -> None:
    async def act(yard: Yard) -> None:
        for _ in range(6):
            yard.show(keys(f"{pin}#", reader="reader-pin"))

    last = "too_many_pins" if guessed else reason
    assert at_the_doors(tmp_path, act).reasons() == [*[reason] * 5, last]


def test_guessing_the_second_half_of_card_and_pin_counts_too(tmp_path: Path) -> None:
    async def act(yard: Yard) -> None:
        for _ in range(6):
            yard.show(presented(A, reader="reader-both"))
            yard.show(keys("0001#", reader="reader-both"))
            await asyncio.sleep(3)

    assert at_the_doors(tmp_path, act).reasons()[-1] == "too_many_pins"


def test_who_has_a_pin_of_their_own_buys_no_guesses_with_it(tmp_path: Path) -> None:
    async def act(yard: Yard) -> None:
        for _ in range(10):
            yard.show(keys("0001#", reader="reader-pin"))
            yard.show(keys("482913#", reader="reader-pin"))
            await asyncio.sleep(3)

    yard = at_the_doors(tmp_path, act)
    assert yard.reasons()[-1] == "too_many_pins"
    assert [body.what for body in yard.told if isinstance(body, NoteBody)] == ["door.pin_guessing"]


def test_a_machine_that_presents_cards_all_day_does_not_fill_the_journal(tmp_path: Path) -> None:
    async def act(yard: Yard) -> None:
        for n in range(1200):
            yard.show(presented(written(f"99:{n}")))
            await asyncio.sleep(0.1)
        yard.show(presented(A))
        await asyncio.sleep(60)

    yard = at_the_doors(tmp_path, act)
    assert yard.reasons().count("unknown_card") == 2 * REFUSALS_A_MINUTE
    assert yard.reasons()[-1] == "granted", "who may come in is always written down"
    assert [body.detail for body in yard.told if isinstance(body, NoteBody)] == [
        "reader-1: 540 more refusals in a minute than are written down one by one"
    ] * 2


def test_neither_cards_nor_pins_are_in_what_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def act(yard: Yard) -> None:
        yard.show(presented(A, reader="reader-both"))
        for _ in range(6):
            yard.show(keys("482913#", reader="reader-pin"))
            yard.show(keys("482914#", reader="reader-pin"))
        yard.show(presented(UNKNOWN))

    with caplog.at_level(0):
        yard = at_the_doors(tmp_path, act)
    shown = f"{yard.told} {yard.opened} {caplog.text} {presented(A)!r} {keys('482913#')!r}"
    for secret in ("34567", "482913", "482914", str(A.number), str(UNKNOWN.number)):
        assert secret not in shown


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("access")


reports = st.builds(
    Presented,
    st.sampled_from(["reader-1", "reader-pin", "reader-both", "reader-9"]),
    st.sampled_from(["card", "keys"]),
    st.integers(-3, 300),
    st.one_of(st.binary(max_size=40), st.sampled_from([b"0#", b"482913#", b"#", b"*1"])),
    st.floats(allow_nan=False),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(given_reports=st.lists(reports, max_size=12))
def test_whatever_is_presented_opens_nothing_and_raises_nothing(
    folder: Path, given_reports: list[Presented]
) -> None:
    yard = Yard(folder)
    yard.at = 1.0
    yard.book.listed = AccessList([Entry(b"key", b"card", None, "", "somebody", ("*",))])
    for report in given_reports:
        yard.show(report)
    assert yard.opened == []
