"""What happens in a pretend compound shows on its devices as it would on real ones."""

import pytest

from drivers import profile as profiles
from drivers.api import Value
from drivers.modbus.codec import ReadRequest, WriteSingle
from drivers.sim.compound import Wiring, compound, single_line
from drivers.sim.faults import PRESETS
from drivers.sim.modbus import SimDevice
from drivers.sim.world import DEEDS, World
from tests.drivers.sim.products import number, product

STEP_S = 0.5


def play(world: World, seconds: float) -> float:
    """Let a world go on; return the time it then is."""
    end = world.now + seconds
    while world.now < end:
        world.step(world.now + STEP_S)
    return world.now


def small() -> World:
    world = compound(buildings=1, detectors=14, covers=2, doors=1, lines=2)
    world.step(1000.0)
    return world


def shown(world: World, device: str, point: str) -> Value | None:
    return world.devices[device].get(point)


def board(world: World, device: str) -> SimDevice:
    found = world.devices[device]
    assert isinstance(found, SimDevice)
    return found


def ppm(world: World, device: str) -> float:
    value = shown(world, device, "smoke")
    assert isinstance(value, int | float)
    return value


def test_a_compound_has_what_was_asked_for() -> None:
    world = compound()
    assert list(world.lines) == ["riser-1", "riser-2", "yard"]
    assert {name: len(there) for name, there in world.on_line.items()} == {
        "riser-1": 20,
        "riser-2": 20,
        "yard": 18,
    }
    assert {"smoke-1-1-1", "smoke-2-3-6", "cover-12", "door-1-1", "door-2-3"} <= set(world.devices)
    assert world.places["smoke-2-1-3"] == {"building": "2", "unit": "1", "floor": "3"}
    assert {device.profile.name for device in world.devices.values()} == {
        "sonbest-sm7571b", "calectro-ug-3-o-mb-r", "faast-xm", "witmotion-wt901c485", "waveshare-door",
    }  # fmt: skip
    for there in world.on_line.values():
        assert [device.address for device in there] == list(range(1, len(there) + 1))


def test_the_same_seed_builds_the_same_street() -> None:
    assert compound(seed=3).baselines == compound(seed=3).baselines
    assert compound(seed=3).baselines != compound(seed=4).baselines


def test_one_line_can_carry_everything_and_no_line_is_an_error() -> None:
    assert list(compound(lines=1).on_line) == ["yard"]
    with pytest.raises(ValueError, match="at least one line"):
        compound(lines=0)
    with pytest.raises(ValueError, match="247 addresses"):
        compound(detectors=600, buildings=3)


def test_a_single_line_has_one_product_from_its_factory_address_on() -> None:
    product = profiles.load("witmotion-wt901c485")
    world = single_line(product, devices=3, wiring=Wiring(baud=19200))
    assert [device.address for device in world.on_line["line"]] == [0x50, 0x51, 0x52]
    assert world.lines["line"].settings.baud == 19200
    assert [device.address for device in single_line(product, address=7).on_line["line"]] == [7]
    for address, devices in ((0, 1), (250, 10), (1, 0)):
        with pytest.raises(ValueError, match="wanted 1 to 255"):
            single_line(product, address=address, devices=devices)


def test_a_single_line_of_framed_devices_has_its_own_baud_and_several_only_where_they_have_addresses() -> (
    None
):
    radar, tilt = profiles.load("micradar-r60afd1"), profiles.load("rion-inclinometer")
    world = single_line(radar)
    assert world.lines["line"].settings.baud == 115200
    world.step(1.0)
    world.devices["device-1"].set("fall", True)
    assert shown(world, "device-1", "fall") is True
    assert [device.address for device in single_line(tilt, devices=3).on_line["line"]] == [0, 1, 2]
    with pytest.raises(ValueError, match="wanted one device"):
        single_line(radar, devices=2)
    with pytest.raises(ValueError, match="0 to 255"):
        single_line(tilt, address=250, devices=9)
    with pytest.raises(ValueError, match="speaks osdp, which nobody here plays"):
        single_line(profiles.load("osdp-reader"))


def test_framed_devices_die_freeze_and_lose_power_as_others_do() -> None:
    world = single_line(profiles.load("dyp-a02yyuw"))
    line, device = world.lines["line"], world.devices["device-1"]
    world.step(10.0)
    device.set("distance", 1953)
    line.take(10.0)
    assert line.take(10.2).hex() == "ff07a1a7"
    world.freeze("device-1")
    device.set("distance", 100)
    assert shown(world, "device-1", "distance") == 1953
    world.thaw("device-1")
    assert shown(world, "device-1", "distance") == 100
    world.kill("device-1")
    line.take(20.0)
    assert line.take(20.2) == b""
    world.revive("device-1")
    world.power_cut("line", 30.0)
    line.take(30.0)
    assert line.take(30.2) == b""
    line.take(50.0)
    assert line.take(50.2).hex() == "ff0064" + "63"


def test_a_still_world_keeps_still_and_another_one_hisses() -> None:
    still = single_line(profiles.load("sonbest-sm7571b"))
    play(still, 60.0)
    assert ppm(still, "device-1") == 8
    world = small()
    seen = set()
    for _ in range(100):
        play(world, 5.0)
        seen.add(shown(world, "cover-01", "temperature"))
    assert len(seen) > 10
    assert all(isinstance(value, int | float) and abs(value - 19.0) < 2.0 for value in seen)


def test_a_quiet_night_alarms_nobody() -> None:
    world = small()
    for _ in range(60):
        play(world, 10.0)
        for name, device in world.devices.items():
            for point in ("alarm", "prealarm", "fault", "tamper", "test", "contact", "exit_button"):
                assert point not in device.points or device.get(point) is False, (name, point)
            if "smoke" in device.points:
                assert ppm(world, name) < 40


def test_smoke_rises_climbs_and_is_thinner_further_up() -> None:
    world = small()
    world.smoke("smoke-1-1-1")
    play(world, 4.0)
    assert 300 < ppm(world, "smoke-1-1-1") < 1000
    assert ppm(world, "smoke-1-1-2") < 40
    play(world, 26.0)
    assert ppm(world, "smoke-1-1-2") > 300
    assert shown(world, "smoke-1-1-3", "alarm") is False
    play(world, 60.0)
    assert shown(world, "smoke-1-1-3", "alarm") is True
    assert ppm(world, "smoke-1-1-1") > ppm(world, "smoke-1-1-2") > ppm(world, "smoke-1-1-4")
    assert ppm(world, "smoke-1-2-1") < 40, "the other stairwell stays clean"


def test_smoke_goes_one_floor_down_and_no_further() -> None:
    world = small()
    world.smoke("smoke-1-1-5")
    play(world, 120.0)
    assert ppm(world, "smoke-1-1-4") > 300
    assert shown(world, "smoke-1-1-3", "alarm") is False
    assert ppm(world, "smoke-1-1-2") < 40


def test_the_air_clears_and_the_detector_that_latches_keeps_its_alarm_until_reset() -> None:
    world = small()
    world.smoke("smoke-1-1-3")
    play(world, 30.0)
    world.clear_smoke("smoke-1-1-3")
    world.clear_smoke("smoke-1-1-3")
    play(world, 120.0)
    assert ppm(world, "smoke-1-1-4") < 40
    calectro = board(world, "smoke-1-1-3")
    assert calectro.get("alarm") is True
    calectro.answer(WriteSingle(6, 0, 234), world.now)
    assert calectro.get("alarm") is False


def test_an_aspirating_detector_warns_before_it_alarms() -> None:
    world = small()
    world.smoke("smoke-1-1-6")
    seen = []
    for _ in range(40):
        play(world, STEP_S)
        seen.append((shown(world, "smoke-1-1-6", "prealarm"), shown(world, "smoke-1-1-6", "alarm")))
    assert seen[0] == (False, False) or seen[0] == (True, False)
    assert (True, False) in seen
    assert seen[-1] == (True, True)
    obscuration = shown(world, "smoke-1-1-6", "obscuration")
    assert isinstance(obscuration, float)
    assert obscuration > 1.0


def test_a_product_shows_as_much_smoke_as_it_can_and_no_value_while_it_has_none() -> None:
    narrow = product(number("smoke", type="u16", scale=0.01), number("co", 1, sentinels=(0xFFFF,)))
    device = SimDevice(narrow, 1, name="detector")
    line = Wiring().line("line", [device], seed=0)
    world = World([line], {"line": [device]}, {})
    device.set("co", None)
    world.step(0.0)
    world.smoke("detector")
    seen = []
    for _ in range(100):
        play(world, STEP_S)
        seen.append(ppm(world, "detector"))
    assert 600 < max(seen) <= 655.35


def test_a_lifted_cover_tilts_and_lies_as_before_when_put_back() -> None:
    world = small()
    laid = world.baselines["cover-01"]
    world.lift("cover-01")
    play(world, 5.0)
    roll, pitch = shown(world, "cover-01", "roll"), shown(world, "cover-01", "pitch")
    assert isinstance(roll, float)
    assert isinstance(pitch, float)
    assert roll - laid["roll"] == pytest.approx(40.0, abs=0.5)
    assert pitch - laid["pitch"] == pytest.approx(6.0, abs=0.5)
    assert shown(world, "cover-02", "roll") == pytest.approx(world.baselines["cover-02"]["roll"], abs=0.5)
    world.put_back("cover-01")
    play(world, 10.0)
    assert shown(world, "cover-01", "roll") == pytest.approx(laid["roll"], abs=0.5)


def test_whoever_enters_presses_the_button_first_and_the_door_falls_shut() -> None:
    world = small()
    world.enter("door-1-1")
    assert shown(world, "door-1-1", "exit_button") is True
    assert shown(world, "door-1-1", "contact") is False
    play(world, 1.0)
    assert shown(world, "door-1-1", "contact") is True
    play(world, 1.0)
    assert shown(world, "door-1-1", "exit_button") is False
    play(world, 4.0)
    assert shown(world, "door-1-1", "contact") is False


def test_a_held_door_stays_open_until_somebody_shuts_it() -> None:
    world = small()
    world.hold("door-1-1")
    play(world, 600.0)
    assert shown(world, "door-1-1", "contact") is True
    world.close("door-1-1")
    assert shown(world, "door-1-1", "contact") is False


def test_a_forced_door_opens_without_a_button() -> None:
    world = small()
    world.force("door-1-1")
    assert shown(world, "door-1-1", "contact") is True
    assert shown(world, "door-1-1", "exit_button") is False


def test_a_detector_in_test_says_so_before_it_alarms_and_until_after() -> None:
    world = small()
    states = []
    world.test("smoke-1-1-6")
    for moment in range(20):
        if moment == 10:
            world.end_test("smoke-1-1-6")
            board(world, "smoke-1-1-6").answer(WriteSingle(6, 34, 0x10), world.now)
        states.append((shown(world, "smoke-1-1-6", "test"), shown(world, "smoke-1-1-6", "alarm")))
        play(world, STEP_S)
    assert states[0] == (True, False)
    assert (True, True) in states
    assert states[-1] == (False, False)
    assert (False, True) not in states


def test_a_test_of_what_has_no_alarm_shows_the_test_alone() -> None:
    world = single_line(profiles.load("greystone-cmd5b4"))
    world.step(0.0)
    world.test("device-1")
    play(world, 5.0)
    assert shown(world, "device-1", "test") is True
    world.end_test("device-1")
    play(world, 5.0)
    assert shown(world, "device-1", "test") is False


def test_a_fault_shows_at_the_first_point_a_product_has_for_it() -> None:
    world = small()
    for device, point in (("smoke-1-1-6", "fault"), ("smoke-1-1-3", "contamination")):
        world.fault(device)
        assert shown(world, device, point) is True
        world.mend(device)
        assert shown(world, device, point) is False


def test_devices_die_freeze_and_come_back() -> None:
    world = small()
    device = board(world, "smoke-1-1-1")
    question = ReadRequest(3, 0, 1)
    world.kill("smoke-1-1-1")
    assert device.answer(question, world.now) is None
    world.revive("smoke-1-1-1")
    world.freeze("smoke-1-1-1")
    before = device.answer(question, world.now)
    device.set("smoke", 1000)
    assert device.answer(question, world.now) == before
    world.thaw("smoke-1-1-1")
    device.set("smoke", 1001)
    assert device.answer(question, world.now) != before


def test_lines_are_unplugged_and_lose_power() -> None:
    world = small()
    world.unplug("yard")
    assert not world.lines["yard"].plugged
    world.replug("yard")
    world.power_cut("riser-1", 3.0)
    assert board(world, "smoke-1-1-1").answer(ReadRequest(3, 0, 1), world.now + 2.9) is None
    assert board(world, "smoke-1-1-1").answer(ReadRequest(3, 0, 1), world.now + 3.0) is not None


@pytest.mark.parametrize(
    ("deed", "target", "sentence"),
    [
        ("smoke", "cover-01", "no detector is called 'cover-01'"),
        ("lift", "door-1-1", "no cover is called 'door-1-1'"),
        ("force", "smoke-1-1-1", "has no contact"),
        ("test", "smoke-1-1-1", "has no test"),
        ("fault", "cover-01", "has no fault"),
        ("kill", "nobody", "no device is called 'nobody'"),
        ("unplug", "riser-9", "no line is called 'riser-9'"),
        ("explode", "cover-01", "nobody can 'explode'"),
    ],
)
def test_a_deed_that_makes_no_sense_is_told_in_a_sentence(deed: str, target: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        small().do(deed, target)


def test_every_deed_can_be_done_by_its_name() -> None:
    world = small()
    targets = {"lift": "cover-01", "put_back": "cover-01"}
    targets |= dict.fromkeys(("enter", "hold", "force", "close"), "door-1-1")
    targets |= dict.fromkeys(("unplug", "replug", "power_cut"), "yard")
    for deed in DEEDS:
        world.do(deed, targets.get(deed, "smoke-1-1-6"))
    world.do("lift", "cover-02", 95.0)
    play(world, 10.0)
    assert shown(world, "cover-02", "roll") == pytest.approx(
        world.baselines["cover-02"]["roll"] + 95.0, abs=0.5
    )


def test_wiring_is_the_same_on_every_line_but_the_seed() -> None:
    world = compound(wiring=Wiring(baud=4800, parity="even", faults=PRESETS["noisy"], scheme="tcp://"))
    for name, line in world.lines.items():
        assert (line.settings.name, line.settings.baud, line.settings.parity) == (name, 4800, "even")
        assert line.settings.port == "tcp://"
        assert line.faults is PRESETS["noisy"]
