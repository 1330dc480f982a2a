"""Every profile we ship: complete, in both languages, with sources, and nothing in it that its own driver cannot do."""

import re
import tomllib
from collections.abc import Sequence

import pytest

from drivers import profile
from drivers.api import LineSettings, Priority, Profile
from drivers.modbus.blocks import plan
from drivers.modbus.codec import encode_request
from drivers.modbus.orders import orders
from drivers.modbus.wire import ModbusWire, Register, decode, encode
from drivers.osdp.orders import orders as osdp_orders
from drivers.osdp.wire import OsdpWire, Place

NAMES = profile.names()
POLLED = [name for name in NAMES if profile.load(name).driver != "printer"]
MODBUS = [name for name in NAMES if profile.load(name).driver == "modbus"]
LINE = LineSettings("line", "x")
CHINESE = re.compile("[\u4e00-\u9fff]")
# Products of the reference tables whose map is public, or that are shipped as unverified.
WANTED = {
    "calectro-ug-3-o-mb-r", "faast-xm", "sonbest-sm7571b", "greystone-cmd5b4", "sensepoint-xcl", "sonbest-sm2130b-co",
    "sqr-2-alarm", "notifier-modbus-gw", "rielta-brshs-rk", "renke-rs-yg-n01", "witmotion-wt901c485",
    "witmotion-hwt905-485", "witmotion-sindt-485", "dfrobot-sen0692", "renke-rs-dip", "waveshare-relay-8ch",
    "waveshare-io-8ch", "waveshare-door", "wellpro-wp8026adam", "wellpro-wp8028adam", "wellpro-wp8025adam",
    "wirenboard-wb-mcm8", "wirenboard-domofon-mb", "rfid-reader-modbus",
    "seeed-mr60fda2", "seeed-mr60bha2", "micradar-r60afd1", "micradar-r60abd1", "dyp-a02yyuw", "dyp-a01nyub",
    "jsn-sr04t", "aj-sr04m", "rion-inclinometer", "gst9000-printer", "afp2800-printer",
}  # fmt: skip
UNVERIFIED = {
    "renke-rs-yg-n01", "renke-rs-dip", "witmotion-sindt-485", "rfid-reader-modbus", "dfrobot-sen0591",
    "rion-inclinometer", "gst9000-printer", "advantech-adam-6050w",
}  # fmt: skip


@pytest.fixture(params=NAMES)
def shipped(request: pytest.FixtureRequest) -> Profile:
    return profile.load(request.param)


@pytest.fixture(params=POLLED)
def polled(request: pytest.FixtureRequest) -> Profile:
    return profile.load(request.param)


@pytest.fixture(params=MODBUS)
def modbus(request: pytest.FixtureRequest) -> Profile:
    return profile.load(request.param)


def wire_of(shipped: Profile) -> ModbusWire:
    assert isinstance(shipped.wire, ModbusWire)
    return shipped.wire


def listed(value: object) -> Sequence[str]:
    return [value] if isinstance(value, str) else value if isinstance(value, list) else []


def test_every_product_of_the_reference_tables_is_shipped() -> None:
    assert set(NAMES) >= WANTED


def test_what_no_maker_confirmed_is_marked_and_says_so_at_its_head() -> None:
    for name in NAMES:
        found = profile.load(name)
        assert found.verified == (name not in UNVERIFIED)
        assert ("UNVERIFIED" in found.layout) == (not found.verified)
        assert ("未核实" in found.title.zh) == (not found.verified)


def test_titles_and_actions_are_in_both_languages_and_sources_are_named(shipped: Profile) -> None:
    for text in (shipped.title, *(action.text for action in shipped.actions)):
        assert CHINESE.search(text.zh)
        assert text.en
        assert not CHINESE.search(text.en)
    assert all(shipped.sources)
    assert shipped.sources


def test_the_head_comment_draws_the_registers(shipped: Profile) -> None:
    first, *drawing = shipped.layout.splitlines()
    assert len(first) > 20
    assert re.search(
        r"\b(holding|input|coil|discrete input|osdp_[A-Z]+|frame|loop|point)\b", "\n".join(drawing)
    )


def test_every_line_fits_the_screen_and_comments_every_unusual_thing(shipped: Profile) -> None:
    text = (profile.BUILT_IN / f"{shipped.name}.toml").read_text(encoding="utf-8")
    assert max(map(len, text.splitlines())) <= 118
    assert text.endswith("\n")
    assert tomllib.loads(text)["profile"]["driver"] == shipped.driver


def test_priorities_and_intervals_are_what_the_duty_asks(polled: Profile) -> None:
    urgent = {
        name for rule in polled.rules for name in (*listed(rule.get("point")), *listed(rule.get("points")))
    }
    for point in polled.points:
        assert point.priority in {Priority.FIRE, Priority.SAFETY, Priority.DOOR, Priority.TELEMETRY}
        if point.priority in {Priority.FIRE, Priority.SAFETY}:
            assert point.interval_s <= 5.0
        if point.priority is Priority.DOOR:
            assert point.interval_s <= 1.0
        if point.priority is Priority.TELEMETRY and point.name not in urgent:
            assert point.interval_s >= 30.0


def test_rules_stand_on_points_that_are_polled_fast_enough(polled: Profile) -> None:
    for rule in polled.rules:
        names = (*listed(rule.get("point")), *listed(rule.get("points")))
        assert names
        kind = str(rule["kind"])
        for name in names:
            point = polled.point(name)
            if kind in {"fire.smoke", "fire.co", "fire.gas"}:
                assert point.priority in {Priority.FIRE, Priority.SAFETY}
                assert rule["reads"] == 2
                assert rule["latch"] is True
        has_test = any(point.name == "test" for point in polled.points)
        if kind in {"fire.smoke", "fire.co", "fire.gas"} and has_test:
            assert "test" in listed(rule["unless"])
        for name in (*listed(rule.get("unless")), *listed(rule.get("excused_by"))):
            polled.point(name)


def test_what_a_panel_prints_is_a_fire_by_its_own_judgement_and_over_when_it_says_so() -> None:
    panels = [found for name in NAMES if (found := profile.load(name)).driver == "printer"]
    assert panels
    for panel in panels:
        assert {rule["kind"] for rule in panel.rules} & {"fire.panel", "fire.smoke"}
        for rule in panel.rules:
            assert panel.point(str(rule["point"])).priority is Priority.FIRE
            assert rule["clear_reads"] == 1
            assert rule.get("latch", False) is False


def test_a_detector_that_shows_its_test_tells_of_it_as_a_test() -> None:
    for name in NAMES:
        found = profile.load(name)
        if any(point.name == "test" for point in found.points):
            assert any(rule["kind"] == "device.test" for rule in found.rules), name


def test_every_action_becomes_frames_at_both_ends_of_its_range(shipped: Profile) -> None:
    for action in shipped.actions:
        for end in ("minimum", "maximum"):
            numbers = {argument.name: getattr(argument, end) for argument in action.arguments}
            if shipped.driver == "osdp":
                assert all(order.command for order in osdp_orders(action, numbers))
                continue
            for order in orders(action, numbers):
                assert encode_request(order.request)


def test_only_what_the_device_times_by_itself_grants_a_way_through() -> None:
    for name in NAMES:
        for action in profile.load(name).actions:
            assert not (action.grants and action.name.startswith("switch")), name


def test_every_point_can_be_shown_and_read_back(modbus: Profile) -> None:
    for point in modbus.points:
        register = point.wire
        assert isinstance(register, Register)
        value = True if register.type == "bit" else register.scale + register.offset
        assert decode(register, encode(register, value)) == pytest.approx(value)


def test_no_two_points_are_the_same_words(polled: Profile) -> None:
    wires = [point.wire for point in polled.points]
    assert len(set(wires)) == len(wires)


def test_all_points_are_covered_by_reads_the_device_allows(modbus: Profile) -> None:
    wire = wire_of(modbus)
    blocks = plan(
        modbus.points, char_s=LINE.char_s, gap_s=LINE.gap_s, max_read=wire.max_read, bridge=wire.bridge
    )
    assert sum(len(block.points) for block in blocks) == len(modbus.points)
    for block in blocks:
        assert encode_request(block.request)
        assert block.request.function <= 2 or block.request.count <= wire.max_read


def test_a_scan_can_tell_a_product_by_a_read_within_its_range(modbus: Profile) -> None:
    identify = wire_of(modbus).identify
    if identify:
        assert identify.minimum <= identify.maximum
        value = decode(identify.register, encode(identify.register, identify.minimum))
        assert value is not None
        assert identify.minimum <= value <= identify.maximum


def test_the_points_of_a_reader_stand_in_its_status_replies_and_a_door_is_opened_by_its_own_timer() -> None:
    readers = [found for name in NAMES if (found := profile.load(name)).driver == "osdp"]
    assert readers
    for reader in readers:
        assert isinstance(reader.wire, OsdpWire)
        assert all(isinstance(point.wire, Place) and all(point.wire.drawn()) for point in reader.points)
        (unlock,) = osdp_orders(reader.action("unlock"), {"seconds": 5})
        assert (unlock.command["control_code"], unlock.command["timer_count"]) == (5, 50)


def test_the_fire_points_of_a_detector_cost_one_poll() -> None:
    """Thirty-two of them share a line: a second poll each would double the time until a fire is seen."""
    for name in ("calectro-ug-3-o-mb-r", "sonbest-sm7571b", "faast-xm", "notifier-modbus-gw", "sqr-2-alarm"):
        fire = [point for point in profile.load(name).points if point.priority is Priority.FIRE]
        assert len(plan(fire, char_s=LINE.char_s, gap_s=LINE.gap_s)) == 1, name
