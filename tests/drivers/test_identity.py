"""What a unit says of itself: read when it comes and once a day, and no fire's poll is ever later for it."""

import asyncio
import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers import profile
from drivers.api import Identified, Profile
from drivers.modbus.identity import read, write
from drivers.modbus.wire import Identity, ModbusWire, Register
from tests.drivers.rig import Rig, on_line, smoke

TILT = profile.load("witmotion-wt901c485")
SERIAL = Identity("serial", Register("holding", 0x7F), "hex", 6)
TEXT = Identity("serial", Register("input", 0), "text", 4)
NUMBER = Identity("serial", Register("input", 270, "u32"), "", 2)


def told(rig: Rig, what: str = "serial") -> list[str]:
    return [each.text for each in rig.reports if isinstance(each, Identified) and each.what == what]


def with_serial(product: Profile) -> Profile:
    assert isinstance(product.wire, ModbusWire)
    serial = Identity("serial", Register("holding", 0x100, "u32"), "", 2)
    return replace(product, wire=replace(product.wire, identity=(serial,)))


def test_a_unit_is_known_by_its_serial_number_soon_after_it_was_first_heard() -> None:
    async def story(rig: Rig) -> None:
        rig.sim(1).introduce(serial="574154423430", firmware="23")
        await rig.until(lambda: told(rig) and told(rig, "firmware"), within_s=20)
        assert told(rig) == ["574154423430000000000000"]
        assert told(rig, "firmware") == ["23"]

    on_line(story, [TILT])


def test_another_unit_at_the_same_address_is_met_as_soon_as_it_answers() -> None:
    async def story(rig: Rig) -> None:
        await rig.until(lambda: told(rig), within_s=20)
        rig.sim(1).alive = False
        await rig.until(lambda: [each for each in rig.device_reports("d1") if not each.online])
        rig.sim(1).introduce(serial="2002")
        rig.sim(1).alive = True
        await rig.until(lambda: len(told(rig)) > 1, within_s=30)
        assert [each.rstrip("0") for each in told(rig)] == ["1001", "2002"]

    on_line(story, [TILT])


def test_it_is_asked_once_a_day_and_no_more() -> None:
    async def story(rig: Rig) -> None:
        await rig.until(lambda: told(rig), within_s=20)
        await asyncio.sleep(86_000)
        assert len(told(rig)) == 1
        await asyncio.sleep(1_000)
        assert len(told(rig)) == 2

    slow = replace(TILT, points=tuple(replace(each, interval_s=3600.0) for each in TILT.points))
    on_line(story, [slow])


def test_a_serial_number_that_was_read_only_once_is_not_told() -> None:
    async def story(rig: Rig) -> None:
        await rig.until(lambda: told(rig), within_s=20)
        rig.sim(1).alive = False
        await rig.until(lambda: [each for each in rig.device_reports("d1") if not each.online])
        sim, answer = rig.sim(1), rig.sim(1).answer
        odd = iter(["DEAD"])

        def once(question: object, now: float) -> bytes | None:
            sim.introduce(serial=next(odd, "1001") if question == SERIAL.request else "1001")
            return answer(question, now)  # type: ignore[arg-type]

        sim.answer = once  # type: ignore[method-assign]
        sim.alive = True
        await rig.until(lambda: len(told(rig)) > 1, within_s=30)
        assert {each.rstrip("0") for each in told(rig)} == {"1001"}

    on_line(story, [TILT])


def test_a_unit_that_says_nothing_of_itself_is_asked_more_and_more_seldom_and_stays_present() -> None:
    async def story(rig: Rig) -> None:
        sim, answer = rig.sim(1), rig.sim(1).answer
        asked: list[float] = []

        def mute(question: object, now: float) -> bytes | None:
            if getattr(question, "address", None) == 0x100:
                asked.append(now)
                return None
            return answer(question, now)  # type: ignore[arg-type]

        sim.answer = mute  # type: ignore[method-assign]
        await rig.until(lambda: len(asked) == 4, within_s=600)
        pauses = [later - earlier for earlier, later in itertools.pairwise(asked)]
        assert pauses == sorted(pauses)
        assert pauses[0] >= 60
        assert not told(rig)
        assert all(each.online for each in rig.device_reports("d1"))

    on_line(story, [with_serial(smoke())])


def test_a_unit_that_is_away_is_only_probed_and_not_asked_who_it_is() -> None:
    async def story(rig: Rig) -> None:
        sim, answer = rig.sim(1), rig.sim(1).answer
        asked: list[float] = []

        def note(question: object, now: float) -> bytes | None:
            if getattr(question, "address", None) == 0x100:
                asked.append(now)
                sim.alive = False  # it dies of the question
            return answer(question, now)  # type: ignore[arg-type]

        sim.answer = note  # type: ignore[method-assign]
        await rig.until(lambda: [each for each in rig.device_reports("d1") if not each.online], within_s=60)
        await asyncio.sleep(600)
        assert len(asked) == 1
        sim.alive = True
        await rig.until(lambda: len(asked) > 1, within_s=60)

    on_line(story, [with_serial(smoke()), smoke()])


def test_a_full_line_of_detectors_is_polled_as_often_with_serial_numbers_as_without() -> None:
    def longest(product: Profile) -> float:
        async def story(rig: Rig) -> float:
            await rig.until(lambda: rig.loop.time() > 60, within_s=90)
            worst = 0.0
            for device in (f"d{number}" for number in range(1, 33)):
                times = [each.at for each in rig.readings(device, since=2.0)]
                gaps = (later - earlier for earlier, later in itertools.pairwise(times))
                worst = max(worst, *gaps)
            return worst

        return on_line(story, [product] * 32)

    poll_s = 0.05  # one exchange of the longest there is at 9600 baud
    fast = smoke(interval_s=0.5)
    assert longest(with_serial(fast)) <= longest(fast) + 2 * poll_s


@pytest.mark.parametrize(
    ("identity", "words", "text"),
    [
        (SERIAL, (0x5754, 0x4234, 0, 0, 0, 1), "575442340000000000000001"),
        (TEXT, (0x574D, 0x3132, 0x2000, 0), "WM12"),
        (TEXT, (0x0107, 1, 1, 1), ""),
        (NUMBER, (0x0001, 0xE240), "123456"),
        (NUMBER, (0xFFFE, 0xFFFF), "4294901759"),
        (NUMBER, (0, 0), ""),
        (NUMBER, (0xFFFF, 0xFFFF), ""),
    ],
)
def test_what_stands_in_registers_is_told_as_it_is_and_nothing_is_told_of_nothing(
    identity: Identity, words: tuple[int, ...], text: str
) -> None:
    assert read(identity, words) == text


@given(st.sampled_from([SERIAL, TEXT, NUMBER]), st.data())
def test_any_words_are_a_text_that_can_be_printed(identity: Identity, data: st.DataObject) -> None:
    size = st.lists(st.integers(0, 0xFFFF), min_size=identity.words, max_size=identity.words)
    assert read(identity, data.draw(size)).isprintable()


@given(st.integers(1, 0xFFFFFFFE))
def test_what_is_written_is_read(number: int) -> None:
    assert read(NUMBER, write(NUMBER, str(number))) == str(number)
    digits = f"{number:012X}".ljust(24, "0")
    assert read(SERIAL, write(SERIAL, digits)) == digits


def test_a_mistake_in_it_is_told_with_file_key_found_and_wanted() -> None:
    text = (profile.BUILT_IN / "witmotion-wt901c485.toml").read_text(encoding="utf-8")
    wrong = text.replace('type = "hex", words = 6', 'type = "hex", words = 60')
    assert [error.key for error in profile.check(wrong, "mine.toml")] == ["modbus.serial.words"]
    wrong = text.replace('type = "hex", words = 6', 'type = "hexx"')
    assert "modbus.serial.type" in {error.key for error in profile.check(wrong, "mine.toml")}
