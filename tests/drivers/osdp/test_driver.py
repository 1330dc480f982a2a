"""The driver against libosdp's own peripheral: cards, keys, states, actions, and everything in secure channel only."""

import asyncio
import logging

import pytest

from drivers.api import DeviceError, Identified, LateError, LineError, Quality, Reading
from drivers.osdp import supervision
from drivers.osdp.frames import CAPABILITIES, CHALLENGE, DEFAULT_KEY, ID, OUTPUT, Sieve, crc, parse
from drivers.sim.faults import NO_FAULTS, Faults
from drivers.sim.osdp import SimReader
from tests.drivers.osdp.rig import CARD, KEY, OTHER_KEY, Rig, on_line


def test_a_reader_comes_up_in_secure_channel_and_tells_its_states() -> None:
    async def scenario(rig: Rig) -> None:
        assert rig.reader().in_secure_channel
        await rig.until(lambda: rig.good("strike") is not None)
        names = ("tamper", "power_fault", "contact", "exit_button", "strike")
        assert [rig.state(name) for name in names] == [(False, Quality.GOOD)] * 5
        assert [report.up for report in rig.lines()] == [True]

    on_line(scenario, SimReader(0, KEY))


def test_a_reader_that_comes_says_which_one_it_is() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.until(lambda: len([each for each in rig.reports if isinstance(each, Identified)]) == 2)
        told = {each.what: each.text for each in rig.reports if isinstance(each, Identified)}
        assert told == {"serial": "20261101", "firmware": "1.2.3"}

    on_line(scenario, SimReader(0, KEY))


def test_a_card_is_told_with_its_bits_within_a_quarter_of_a_second() -> None:
    async def scenario(rig: Rig) -> None:
        rig.reader().present_card(26, CARD)
        assert await rig.until(rig.presented) < 0.25
        (told,) = rig.presented()
        assert (told.form, told.bits, told.data) == ("card", 26, CARD)

    on_line(scenario, SimReader(0, KEY), baud=9600)


def test_keys_come_one_by_one_or_together_as_the_reader_has_them() -> None:
    async def scenario(rig: Rig) -> None:
        rig.reader().press("12*#")
        await rig.until(lambda: len(rig.presented()) == 4)
        rig.reader().press("9081", together=True)
        await rig.until(lambda: len(rig.presented()) == 5)
        assert [(k.form, k.bits, k.data) for k in rig.presented()] == [
            ("keys", 1, b"1"), ("keys", 1, b"2"), ("keys", 1, b"*"), ("keys", 1, b"#"), ("keys", 4, b"9081")
        ]  # fmt: skip

    on_line(scenario, SimReader(0, KEY))


def test_tamper_power_and_contacts_are_told_as_they_change() -> None:
    async def scenario(rig: Rig) -> None:
        rig.reader().tamper()
        await rig.until(lambda: rig.good("tamper") is True, within_s=1.0)
        rig.reader().fail_power()
        await rig.until(lambda: rig.good("power_fault") is True, within_s=1.0)
        rig.reader().set_input(0, True)
        await rig.until(lambda: rig.good("contact") is True, within_s=1.0)
        assert rig.good("exit_button") is False
        rig.reader().tamper(False)
        await rig.until(lambda: rig.good("tamper") is False, within_s=1.0)

    on_line(scenario, SimReader(0, KEY))


def test_the_contact_of_a_reader_that_only_answers_is_seen_at_its_interval() -> None:
    """Most readers say nothing of a contact until they are asked; a door is through in less than ten seconds."""

    async def scenario(rig: Rig) -> None:
        for is_open in (True, False, True):
            rig.reader().set_input(0, is_open)
            await rig.until(lambda is_open=is_open: rig.good("contact") is is_open, within_s=1.5)  # type: ignore[misc]

    on_line(scenario, SimReader(0, KEY, tells=False))


def test_so_is_that_of_a_reader_that_told_all_its_states_once_as_it_came_up() -> None:
    async def scenario(rig: Rig) -> None:
        rig.reader().tells = False
        for is_open in (True, False, True):
            rig.reader().set_input(0, is_open)
            await rig.until(lambda is_open=is_open: rig.good("contact") is is_open, within_s=1.5)  # type: ignore[misc]

    on_line(scenario, SimReader(0, KEY))


def test_a_reader_that_tells_its_contact_as_it_changes_is_asked_only_to_make_sure() -> None:
    async def scenario(rig: Rig) -> None:
        for is_open in (True, False):
            rig.reader().set_input(0, is_open)
            await rig.until(lambda is_open=is_open: rig.good("contact") is is_open, within_s=1.5)  # type: ignore[misc]
        count = len([r for r in rig.reports if isinstance(r, Reading) and r.point == "contact"])
        await asyncio.sleep(3.0)
        assert len([r for r in rig.reports if isinstance(r, Reading) and r.point == "contact"]) <= count + 1

    on_line(scenario, SimReader(0, KEY))


def test_a_reader_that_refuses_once_to_tell_its_contact_is_asked_for_it_again() -> None:
    """One no, of a reader that starts or has lost count, was the end of all questions for as long as we ran."""

    async def scenario(rig: Rig) -> None:
        rig.reader().refusals = 1
        rig.driver.read_soon("r0", "contact")
        await rig.until(lambda: not rig.reader().refusals)
        rig.reader().set_input(0, True)
        await rig.until(lambda: rig.good("contact") is True, within_s=8.0)

    on_line(scenario, SimReader(0, KEY, tells=False))


def test_the_contact_of_a_reader_that_does_not_tell_it_at_all_is_not_known() -> None:
    async def scenario(rig: Rig) -> None:
        rig.reader().refusals = 1_000
        rig.driver.read_soon("r0", "contact")
        await rig.until(lambda: rig.state("contact") == (None, Quality.BAD), within_s=8.0)
        await asyncio.sleep(1.0)
        asked = rig.reader().refusals
        await asyncio.sleep(1.5)
        assert rig.reader().refusals == asked, "what it is known not to tell is left alone for a while"
        assert rig.online()

    on_line(scenario, SimReader(0, KEY, tells=False))


def test_a_second_look_is_had_at_once() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.until(lambda: rig.good("tamper") is not None)
        count = len(rig.reports)
        rig.driver.read_soon("r0", "tamper")
        await rig.until(lambda: len(rig.reports) > count, within_s=0.5)
        with pytest.raises(KeyError):
            rig.driver.read_soon("r0", "smoke")

    on_line(scenario, SimReader(0, KEY))


def test_the_reader_locks_the_door_by_itself_after_the_gateway_is_gone() -> None:
    async def scenario(rig: Rig) -> None:
        switched: list[tuple[bool, float]] = []
        rig.reader().on_output = lambda _number, on, at: switched.append((on, at))
        assert await rig.act("unlock", seconds=1.0) == "acknowledged"
        await rig.end()
        assert [on for on, _ in switched] == [True]
        await asyncio.sleep(max(0.0, switched[0][1] + 1.05 - rig.loop.time()))
        rig.line.take(rig.loop.time())
        assert [on for on, _ in switched] == [True, False]
        assert switched[1][1] - switched[0][1] == pytest.approx(1.0, abs=0.1)

    on_line(scenario, SimReader(0, KEY))


def test_hold_open_lasts_until_lock_and_both_are_seen() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.act("hold_open")
        assert rig.reader().output(0)
        await rig.until(lambda: rig.good("strike") is True, within_s=1.0)
        await rig.act("lock")
        assert not rig.reader().output(0)
        await rig.until(lambda: rig.good("strike") is False, within_s=1.0)

    on_line(scenario, SimReader(0, KEY))


def test_feedback_is_light_sound_and_text_and_what_a_reader_lacks_is_left_out() -> None:
    async def scenario(rig: Rig) -> None:
        assert await rig.act("granted") == "acknowledged"
        assert rig.reader(0).shown["led"]["on_color"] == 2
        assert rig.reader(0).shown["text"]["data"] == "请进 Welcome"
        assert await rig.act("denied", "r1") == "acknowledged"
        assert set(rig.reader(1).shown) == {"led", "buzzer"}
        assert rig.online("r1")

    on_line(scenario, SimReader(0, KEY), SimReader(1, KEY, display=False))


# --- nothing in plain -----------------------------------------------------------------------------


def test_a_reader_without_a_key_is_offline_and_never_spoken_to() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.until(rig.told)
        await asyncio.sleep(0.3)
        (told,) = rig.told()
        assert (told.online, told.reason) == (False, supervision.NO_KEY)
        assert rig.line.counts["requests"] == 0
        with pytest.raises(LineError, match="no key"):
            await rig.act("unlock")

    on_line(scenario, SimReader(0, KEY), keys={0: None}, up=False)


def test_the_key_that_everybody_knows_is_none() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.until(rig.told)
        assert (rig.online(), rig.told()[0].reason) == (False, supervision.KNOWN_KEY)

    on_line(scenario, SimReader(0, DEFAULT_KEY), keys={0: DEFAULT_KEY}, up=False)


@pytest.mark.parametrize(
    ("reader", "reason"),
    [
        (lambda: SimReader(0, OTHER_KEY), supervision.OTHER_KEY),
        (lambda: SimReader(0, None), supervision.OTHER_KEY),
        (lambda: SimReader(0, KEY, secure=False), supervision.PLAIN_ONLY),
    ],
    ids=["another key", "not paired yet", "plain only"],
)
def test_a_reader_that_cannot_keep_our_secret_is_offline_with_the_reason(reader: object, reason: str) -> None:
    assert callable(reader)
    made: SimReader = reader()
    heard = bytearray()
    hear = made.hear

    def listen(data: bytes, now: float) -> bytes:
        heard.extend(data)
        return hear(data, now)

    made.hear = listen  # type: ignore[method-assign]

    async def scenario(rig: Rig) -> None:
        await rig.until(rig.told)
        made.present_card(26, CARD)
        await asyncio.sleep(1.2)
        assert [report.reason for report in rig.told()] == [reason]
        assert not rig.online()
        assert not rig.presented()
        with pytest.raises(LineError, match="offline"):
            await rig.act("unlock")
        assert {parse(frame).code for frame in Sieve().feed(bytes(heard))} <= {ID, CAPABILITIES, CHALLENGE}
        assert made.key in {OTHER_KEY, None, KEY}

    on_line(scenario, made, up=False)


def test_no_card_no_key_and_no_code_is_in_any_log_or_repr(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    code = "4711081526"  # so long that no time with nine decimals has it by chance

    async def scenario(rig: Rig) -> None:
        rig.reader().present_card(26, CARD)
        rig.reader().press(f"{code}#", together=True)
        await rig.until(lambda: len(rig.presented()) == 2)
        written = caplog.text + repr(rig.reports) + repr(rig.driver.statistics())
        for secret in (CARD.hex(), repr(CARD)[2:-1], code, KEY.hex(), repr(KEY)[2:-1]):
            assert secret not in written

    on_line(scenario, SimReader(0, KEY))


# --- actions that go wrong ------------------------------------------------------------------------


def test_an_action_past_its_deadline_is_not_begun() -> None:
    async def scenario(rig: Rig) -> None:
        with pytest.raises(LateError):
            await rig.driver.act("r0", "unlock", {}, deadline=rig.loop.time() - 0.001)
        assert not rig.reader().output(0)

    on_line(scenario, SimReader(0, KEY))


def test_an_action_that_cannot_be_sent_in_time_is_taken_back_for_good() -> None:
    async def scenario(rig: Rig) -> None:
        rig.reader().alive = False
        await asyncio.sleep(0.4)
        with pytest.raises((LateError, LineError)):
            await rig.act("unlock", within_s=0.3, seconds=1.0)
        rig.reader().alive = True
        await rig.until(lambda: rig.reader().in_secure_channel and rig.driver.statistics().devices[0].online)
        await asyncio.sleep(1.5)
        assert not rig.reader().output(0)

    on_line(scenario, SimReader(0, KEY))


def test_a_command_the_reader_was_too_busy_for_is_not_repeated_after_the_deadline() -> None:
    """libosdp sends it again after 0.8 s, whatever we think of that; so it does not reach the wire."""
    made, ordered = SimReader(0, KEY), []
    hear, busy = made.hear, bytes.fromhex("53 80 08 00 04 79")

    def be_busy(data: bytes, now: float) -> bytes:
        if parse(data).code != OUTPUT:
            return hear(data, now)
        ordered.append(now)
        return busy + crc(busy).to_bytes(2, "little")

    async def scenario(rig: Rig) -> None:
        made.hear = be_busy  # type: ignore[method-assign]
        with pytest.raises(LineError, match="may have been done"):
            await rig.act("unlock", within_s=0.5)
        await asyncio.sleep(1.5)
        assert len(ordered) == 1
        assert rig.online()

    on_line(scenario, made)


def test_an_answer_that_gets_lost_is_asked_for_again_before_the_deadline() -> None:
    async def scenario(rig: Rig) -> None:
        asking = asyncio.create_task(rig.act("hold_open"))
        rig.line.faults = Faults(silent=1.0)
        await asyncio.sleep(0.15)
        rig.line.faults = NO_FAULTS
        assert await asking == "acknowledged"
        assert rig.reader().output(0)
        assert rig.online()

    on_line(scenario, SimReader(0, KEY))


def test_a_reader_that_says_no_is_believed_and_stays_online() -> None:
    async def scenario(rig: Rig) -> None:
        rig.reader().stubborn = True
        with pytest.raises(DeviceError, match="the device says no"):
            await rig.act("unlock")
        await asyncio.sleep(0.5)
        assert rig.online()
        rig.reader().stubborn = False
        assert await rig.act("unlock", seconds=0.5) == "acknowledged"

    on_line(scenario, SimReader(0, KEY))


def test_an_output_the_reader_does_not_have_is_not_asked_of_it() -> None:
    async def scenario(rig: Rig) -> None:
        with pytest.raises(DeviceError, match="no such output"):
            await rig.act("unlock")
        assert rig.online()
        assert rig.state("strike") == (None, Quality.BAD)

    on_line(scenario, SimReader(0, KEY, outputs=0))
