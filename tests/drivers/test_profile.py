"""Profiles: a good one becomes frozen objects, a bad one is told with file, key, found and wanted, all at once."""

from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given

from drivers import profile
from drivers.api import Clearing, Priority, ProfileError, Text
from drivers.modbus.wire import Freeze, Identify, ModbusWire, Register

GOOD = """\
# A detector
#   holding 3   | alarm |

[profile]
driver = "modbus"
category = "smoke"
title = { zh = "烟感", en = "Smoke detector" }
sources = ["the paper in the box"]

[timing]
timeout_s = 0.1
late_s = 1
warm_up_s = 300

[modbus]
baud = 19200
parity = "even"
address = 7
max_read = 8
bridge = false
identify = { input = 2, minimum = 1, maximum = 5 }
freeze = { point = "beat", within_s = 15 }

[[point]]
name = "alarm"
holding = 3
bit = 4
invert = true
priority = "fire"
interval_s = 1

[[point]]
name = "beat"
input = 2
states = { 1 = "fine", 2 = "ill" }

[[point]]
name = "distance"
holding = 10
type = "u32"
word_order = "little"
scale = 0.1
offset = -5
sentinels = [0xFFFFFFFF]
unit = "mm"
deadband = 2

[[action]]
name = "pulse"
title = { zh = "点动", en = "Pulse" }
grants = true
arguments = [{ name = "seconds", minimum = 1, maximum = 9, default = 2, unit = "s" }]
steps = [{ coil = 1, value = "seconds", times = 10, add = 3 }]

[[rule]]
kind = "fire.smoke"
point = "alarm"
when = true
reads = 2
"""


def test_a_good_profile_becomes_frozen_objects() -> None:
    found = profile.parse(GOOD, file="box/detector.toml")
    assert (found.name, found.driver, found.category) == ("detector", "modbus", "smoke")
    assert found.title == Text("烟感", "Smoke detector")
    assert (found.timing.timeout_s, found.timing.late_s, found.timing.warm_up_s) == (0.1, 1.0, 300.0)
    assert found.layout == "A detector\n  holding 3   | alarm |"
    alarm = found.point("alarm")
    assert alarm.wire == Register("holding", 3, "bit", mask=0x10, invert=True)
    assert (alarm.priority, alarm.interval_s) == (Priority.FIRE, 1.0)
    assert found.point("beat").states == {1: "fine", 2: "ill"}
    assert found.point("distance").wire == Register(
        "holding", 10, "u32", word_order="little", scale=0.1, offset=-5.0, sentinels=(0xFFFFFFFF,)
    )
    assert found.action("pulse").grants
    assert found.action("pulse").arguments[0].default == 2
    assert found.rules == ({"kind": "fire.smoke", "point": "alarm", "when": True, "reads": 2},)
    assert found.wire == ModbusWire(
        baud=19200, parity="even", address=7, max_read=8, bridge=False,
        identify=Identify(Register("input", 2), 1, 5), freeze=Freeze("beat", 15),
    )  # fmt: skip
    assert profile.check(GOOD, "detector.toml") == []


@pytest.mark.parametrize(
    ("old", "new", "key", "found", "wanted"),
    [
        ('driver = "modbus"', 'driver = "modbuss"', "profile.driver", "'modbuss'", "did you mean modbus?"),
        ('driver = "modbus"', 'drivr = "modbus"', "profile.driver", "'drivr' in its place", "modbus"),
        ("[profile]", "[profil]", "profile", "'profil' in its place", "a table"),
        ('"smoke"\ntitle', '"smok"\ntitle', "profile.category", "'smok'", "did you mean smoke?"),
        ('zh = "烟感", ', "", "profile.title.zh", "nothing", "a text"),
        ("sources = [", "source = [", "profile.source", "an unknown key", "did you mean sources?"),
        ('sources = ["the paper in the box"]', "sources = [3]", "profile.sources", "[3]", "a list of texts"),
        ("timeout_s = 0.1", 'timeout_s = "0.1"', "timing.timeout_s", "'0.1'", "a number from 0.001 to 60"),
        ("timeout_s = 0.1", "timeout_s = 100", "timing.timeout_s", "100", "a number from 0.001 to 60"),
        ("late_s", "lates", "timing.lates", "an unknown key", "did you mean late_s?"),
        ("baud = 19200", "baud = 19201", "modbus.baud", "19201", "one of 1200, 2400"),
        ('parity = "even"', 'parity = "mark"', "modbus.parity", "'mark'", "none | even | odd"),
        ("address = 7", "address = 256", "modbus.address", "256", "a whole number from 1 to 255"),
        ("bridge = false", "bridge = 0", "modbus.bridge", "0", "true or false"),
        ("maximum = 5 }", "maximum = 5, u = 1 }", "modbus.identify.u", "an unknown key", "one of minimum"),
        ('"beat", within', '"beet", within', "modbus.freeze.point", "'beet'", "did you mean beat?"),
        ("holding = 3", "holdin = 3", "point[0]", "none of them", "did you mean holding?"),
        ("holding = 3", "holding = 3\ninput = 3", "point[0]", "holding and input", "exactly one of coil"),
        ("holding = 3", "holding = 65536", "point[0].holding", "65536", "a whole number from 0 to 65535"),
        ("holding = 3", "holding = true", "point[0].holding", "true", "a whole number"),
        ("bit = 4", "bit = 4\nany_of = 6", "point[0].any_of", "bit as well", "only one of bit, any_of, equals"),
        ("bit = 4", 'type = "bit"', "point[0].type", "bit", "together with one of bit, any_of, equals"),
        ("bit = 4", 'bit = 4\ntype = "u16"', "point[0].type", "u16", "bit together with"),
        ('type = "u32"', 'type = "u33"', "point[2].type", "'u33'", "did you mean u32?"),
        ('type = "u32"', 'type = "i32"', "point[2].type", "'i32'", "did you mean s32?"),
        ('type = "u32"', "equals = [1, -1]", "point[2].equals", "[1, -1]", "whole numbers from 0 to 65535"),
        ("scale = 0.1", "scale = 0", "point[2].scale", "0", "a number other than 0"),
        ('priority = "fire"', 'priority = "fyre"', "point[0].priority", "'fyre'", "did you mean fire?"),
        ("interval_s = 1", "interval_s = 0", "point[0].interval_s", "0", "a number from 0.05 to 86400"),
        ('name = "beat"', 'name = "alarm"', "point", "'alarm' twice", "a name of its own"),
        ('name = "beat"', 'name = "Beat-1"', "point[1].name", "'Beat-1'", "small letters"),
        ('{ 1 = "fine"', '{ one = "fine"', "point[1].states.one", "'fine'", "a number and its name"),
        ("steps = [{", "step = [{", "action[0].steps", "nothing", "at least one step"),
        ("steps = [{ coil = 1,", "steps = [1, { coil = 1,", "action[0].steps[0]", "1", "a table"),
        ('value = "seconds"', 'value = "second"', "action[0].steps[0].value", "'second'", "mean seconds?"),
        ('value = "seconds"', "value = 1.5", "action[0].steps[0].value", "1.5", "the name of an argument"),
        ('value = "seconds"', "value = 70000", "action[0].steps[0].value", "70000", "from 0 to 65535"),
        ("coil = 1,", 'coil = 1, plus = "channel",', "action[0].steps[0].plus", "'channel'", "seconds"),
        ("coil = 1,", "coil = 1, within = 1,", "action[0].steps[0].within", "an unknown key", "within_s?"),
        ("maximum = 9", "maximum = 0", "action[0].arguments[0].maximum", "0", "at least the minimum, 1"),
        ("default = 2", "default = 20", "action[0].arguments[0].default", "20", "a number from 1 to 9"),
        ("grants = true", 'grants = "yes"', "action[0].grants", "'yes'", "true or false"),
        ('kind = "fire.smoke"', 'kind = "fire"', "rule[0].kind", "'fire'", "a dotted name"),
        ('point = "alarm"', 'point = "alrm"', "rule[0].point", "'alrm'", "did you mean alarm?"),
        ('point = "alarm"', 'points = ["alrm"]', "rule[0].points", "'alrm'", "did you mean alarm?"),
        ('point = "alarm"', "points = 3", "rule[0].points", "3", "a list of texts"),
        ("when = true", "above = 3\nbelow = 1", "rule[0]", "above and below", "exactly one of when"),
        ("when = true", 'above = "x"', "rule[0].above", "'x'", "a number"),
        ("reads = 2", "reeds = 2", "rule[0].reeds", "an unknown key", "did you mean reads?"),
        ("reads = 2", 'severity = "loud"', "rule[0].severity", "'loud'", "critical | major | minor | info"),
        ("reads = 2", "hold_s = -1", "rule[0].hold_s", "-1", "a number from 0"),
        ("[[rule]]", "[[rules]]", "rules", "an unknown key", "did you mean rule?"),
        ("[[rule]]", "[rule]", "rule", "{'kind': ", "tables written [[rule]]"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_key_found_and_wanted(
    old: str, new: str, key: str, found: str, wanted: str
) -> None:
    assert old in GOOD
    errors = profile.check(GOOD.replace(old, new), "detector.toml")
    told = [error for error in errors if error.key == key and wanted in error.wanted]
    assert told, [str(error) for error in errors]
    assert found in told[0].found
    with pytest.raises(ProfileError, match=r"^detector\.toml: "):
        profile.parse(GOOD.replace(old, new), file="detector.toml")


def test_all_mistakes_are_told_at_once() -> None:
    bad = GOOD.replace("baud = 19200", "baud = 7").replace("bit = 4", "bit = 44").replace("reads", "rads")
    keys = {error.key for error in profile.check(bad, "x.toml")}
    assert keys == {"modbus.baud", "point[0].bit", "rule[0].rads"}


COUNTER = """
[profile]
driver = "modbus"
category = "input"
title = { zh = "输入", en = "Input" }
sources = ["somebody"]
[[point]]
name = "pulses"
input = 0
counts = 65536
[[point]]
name = "latched"
coil = 3
cleared_by = { action = "clear_latch", channel = 3 }
[[action]]
name = "clear_latch"
title = { zh = "清除", en = "Clear" }
arguments = [{ name = "channel", minimum = 0, maximum = 7 }]
steps = [{ coil = 3, plus = "channel", stride = 4, value = false }]
[[rule]]
kind = "care.sos"
point = "pulses"
moved = true
"""


def test_what_counts_and_what_is_latched_is_data() -> None:
    found = profile.parse(COUNTER, file="mine.toml")
    assert found.point("pulses").counts == 65536
    assert found.point("latched").cleared_by == Clearing("clear_latch", {"channel": 3.0})
    assert [row.type for row in profile.layout_table(found)] == ["u16, counted", "bit, latched"]


@pytest.mark.parametrize(
    ("old", "new", "key", "wanted"),
    [
        ("counts = 65536", "counts = 1", "point[0].counts", "from 2"),
        (
            'action = "clear_latch"',
            'action = "clear"',
            "point[1].cleared_by.action",
            "did you mean clear_latch",
        ),
        ("channel = 3 }", "chanel = 3 }", "point[1].cleared_by.chanel", "what clear_latch takes"),
        (", channel = 3 }", " }", "point[1].cleared_by", "all that clear_latch takes"),
        ("channel = 3 }", "channel = 9 }", "point[1].cleared_by", "from 0 to 7"),
        ("moved = true", "moved = 3", "rule[0].moved", "true or false"),
        ("stride = 4", "stride = 0", "action[0].steps[0].stride", "from 1"),
    ],
)
def test_a_mistake_about_counting_and_latching_is_told(old: str, new: str, key: str, wanted: str) -> None:
    told = [error for error in profile.check(COUNTER.replace(old, new), "mine.toml") if error.key == key]
    assert told
    assert wanted in str(told[0])


def test_a_profile_without_points_is_refused() -> None:
    errors = profile.check(
        '[profile]\ndriver = "modbus"\ncategory = "gas"\ntitle = { zh = "a", en = "b" }', "x"
    )
    assert [str(error) for error in errors] == ["x: point: found nothing, wanted at least one [[point]]"]


@pytest.mark.parametrize(
    "value", ["1" + "0" * 400, "1" + "0" * 5000, "0x" + "F" * 5000, "[" * 3000 + "]" * 3000]
)
def test_what_the_toml_reader_lets_pass_or_stumbles_over_is_a_mistake_of_the_file(value: str) -> None:
    (error,) = profile.check(GOOD.replace("timeout_s = 0.1", f"timeout_s = {value}"), "big.toml")
    assert (error.file, error.key, error.wanted) == ("big.toml", "file", "TOML")


def test_text_that_is_no_toml_is_refused_with_its_line() -> None:
    (error,) = profile.check("[profile]\ndriver = =\n", "x.toml")
    assert "line 2" in error.found
    assert error.wanted == "TOML"


@given(st.text(max_size=200))
def test_garbage_gives_mistakes_and_nothing_else(garbage: str) -> None:
    assert profile.check(garbage, "x.toml")


@given(
    st.dictionaries(
        st.sampled_from(("name", "holding", "bit", "type", "mask", "scale", "states")), st.text(max_size=3)
    )
)
def test_a_point_of_wrong_types_is_told_and_never_crashes(table: dict[str, str]) -> None:
    lines = "".join(f"{key} = {value!r}\n" for key, value in table.items() if "'" not in repr(value)[1:-1])
    assert profile.check(GOOD.replace('name = "beat"', lines), "x.toml")


def test_a_profile_is_found_by_name_or_by_path(tmp_path: Path) -> None:
    own = tmp_path / "waveshare-door.toml"
    own.write_text(GOOD)
    assert profile.load("waveshare-door").category == "door"
    assert profile.load(own).category == "smoke"
    assert profile.load("waveshare-door", search=(tmp_path, profile.BUILT_IN)).category == "smoke"
    assert profile.names((tmp_path,)) == ["waveshare-door"]


def test_a_name_nobody_knows_is_answered_with_the_nearest() -> None:
    with pytest.raises(ProfileError, match="did you mean sonbest-sm7571b"):
        profile.load("sonbest-sm7571")


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="No such file"):
        profile.load("./missing.toml")
    (tmp_path / "latin.toml").write_bytes(b"\xe9")
    with pytest.raises(ProfileError, match="byte 0 is no UTF-8"):
        profile.load(tmp_path / "latin.toml")
    (tmp_path / "huge.toml").write_bytes(b"#" * (profile.MAX_BYTES + 1))
    with pytest.raises(ProfileError, match="at most"):
        profile.load(tmp_path / "huge.toml")


def test_the_layout_table_shows_where_each_point_stands() -> None:
    rows = profile.layout_table(profile.parse(GOOD, file="x.toml"))
    assert [row.point for row in rows] == ["alarm", "beat", "distance"]
    assert (rows[0].register, rows[0].type) == ("holding 3 (0x0003)", "not bit & 0x0010")
    assert (rows[2].unit, rows[2].priority, rows[2].interval_s) == ("mm", "telemetry", 10.0)
