"""gateway.toml as text: what is good becomes objects, what is bad is told, all of it, at its line."""

import string

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core import consistency, loading
from gateway.core.config import Config
from gateway.core.faults import Fault

GOOD = """
[gateway]
id = "hxtp-01"
place = { compound = "1 号院" }

[mqtt]
url = ["mqtts://one.example", "wss://two.example:443/mqtt"]

[[bus]]
name = "riser-a"
port = "/dev/rs485/0"

[[bus.device]]
name = "smoke-1"
profile = "sonbest-sm7571b"
address = 1

[[bus]]
name = "gate"
port = "socket://192.168.1.20:4001"
baud = 19200
parity = "even"

[[camera]]
name = "north"
url = "rtsp://192.168.1.30/stream1"

[[rule]]
kind = "door.held"
"""


def faults(text: str) -> list[Fault]:
    parsed = loading.parse(text)
    return loading.located([*parsed.faults, *consistency.check(parsed)], text, "gateway.toml")


def only(text: str) -> Fault:
    (fault,) = faults(text)
    return fault


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


def test_a_good_file_becomes_the_whole_configuration() -> None:
    config = loading.parse(GOOD).config()
    assert isinstance(config, Config)
    assert faults(GOOD) == []
    assert [bus.name for bus in config.bus] == ["riser-a", "gate"]
    assert config.bus[0].device[0].address == 1
    assert config.gateway.place.compound == "1 号院"
    assert config.rule == ({"kind": "door.held"},)


def test_all_faults_are_found_in_one_go() -> None:
    text = changed('id = "hxtp-01"', 'id = "Box 1"\nstate_dri = "/x"').replace(
        "baud = 19200", 'baud = "19200"'
    )
    text = text.replace('parity = "even"', 'parity = "evn"').replace("address = 1", "adress = 1")
    assert [fault.key for fault in faults(text)] == [
        "gateway.id",
        "gateway.state_dri",
        "bus[0].device[0].address",
        "bus[0].device[0].adress",
        "bus[1].baud",
        "bus[1].parity",
    ]


def test_a_fault_names_the_line_it_stands_on() -> None:
    text = changed("baud = 19200", "baud = 19201")
    assert text.splitlines()[(only(text).line or 0) - 1] == "baud = 19201"


def test_a_missing_key_is_told_at_the_line_of_its_table() -> None:
    text = changed("address = 1\n", "")
    fault = only(text)
    assert (fault.key, fault.found.en) == ("bus[0].device[0].address", "nothing")
    assert text.splitlines()[(fault.line or 0) - 1] == "[[bus.device]]"


def test_an_unknown_key_suggests_the_one_that_was_meant() -> None:
    hint = only(changed("baud = 19200", "buad = 19200")).hint
    assert hint is not None
    assert "baud" in hint.en
    assert "baud" in hint.zh


def test_a_number_in_quotes_is_told_to_lose_them() -> None:
    fault = only(changed("address = 1", 'address = "1"'))
    assert fault.hint is not None
    assert (fault.found.en, fault.wanted.en, fault.hint.en) == ('"1"', "a whole number", "without quotes: 1")


def test_a_text_without_quotes_is_told_to_get_them() -> None:
    fault = only(changed('compound = "1 号院"', "building = 2"))
    assert fault.key == "gateway.place.building"
    assert fault.hint is not None
    assert fault.hint.en == 'in quotes: "2"'


def test_a_place_has_no_other_parts_than_those_known() -> None:
    assert only(changed('compound = "1 号院"', 'bulding = "2"')).key == "gateway.place.bulding"


def test_single_brackets_around_bus_are_explained() -> None:
    hint = only('[gateway]\nid = "a"\n[bus]\nname = "x"').hint
    assert hint is not None
    assert "[[bus]]" in hint.en


def test_a_device_before_any_bus_is_explained() -> None:
    hint = only('[gateway]\nid = "a"\n[[bus.device]]\nname = "x"').hint
    assert hint is not None
    assert "[[bus]]" in hint.en


def test_text_that_is_no_toml_is_told_with_its_line() -> None:
    fault = only('[gateway]\nid = "a\n')
    assert (fault.key, fault.line) == ("file", 2)


def test_a_line_that_is_no_toml_never_shows_a_password() -> None:
    assert "hunter2" not in str(only('[gateway]\npassword = "hunter2\n'))


def test_an_empty_file_asks_for_the_gateway_table() -> None:
    assert [fault.key for fault in faults("")] == ["gateway"]


def test_faults_of_one_bus_do_not_hide_those_of_its_devices() -> None:
    text = changed('name = "riser-a"', "name = 3").replace("address = 1", "address = 1.5")
    assert {fault.key for fault in faults(text)} == {"bus[0].name", "bus[0].device[0].address"}


def test_a_device_of_a_faulty_table_does_not_shift_the_keys_of_the_next() -> None:
    text = GOOD + '\n[[bus.device]]\nname = "a"\n[[bus.device]]\nname = "b"\nprofile = "x"\naddress = "9"\n'
    assert "bus[1].device[1].address" in {
        fault.key for fault in faults(text.replace("[[rule]]", "[[camera]]"))
    }


def test_a_control_character_is_refused_in_any_text() -> None:
    assert (
        only(changed('id = "hxtp-01"', 'id = "hxtp-01"\nstate_dir = "/var\\u0000"')).key
        == "gateway.state_dir"
    )


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_any_text_at_all_ends_in_faults_or_a_configuration(text: str) -> None:
    parsed = loading.parse(text)
    assert (parsed.config() is None) == any(
        not fault.warning for fault in faults(text)
    ) or parsed.faults == []


KEYS = st.sampled_from(
    ["gateway", "mqtt", "bus", "camera", "rule", "device", "id", "name", "url", "port", "baud", "place", "profile",
     "address", "baseline", "rules", "watch", "floors", "window", "parity", "state_dir", "retention_days"]
)  # fmt: skip
SCALARS = (
    st.integers()
    | st.floats()
    | st.booleans()
    | st.text(max_size=20)
    | st.sampled_from(["hxtp-01", "mqtt://b", "9600"])
)
TREES = st.dictionaries(
    KEYS,
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6),
        max_leaves=25,
    ),
    max_size=5,
)


def as_toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return (
                '"'
                + "".join(
                    each if each in string.ascii_letters + string.digits else f"\\U{ord(each):08x}"
                    for each in value
                    if not 0xD800 <= ord(each) < 0xE000
                )
                + '"'
            )
        case dict():
            return "{" + ", ".join(f"{key} = {as_toml(each)}" for key, each in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(as_toml, value)) + "]"
        case _:
            return str(value)


@settings(max_examples=300, deadline=None)
@given(TREES)
def test_any_tree_of_known_keys_ends_in_faults_or_a_configuration(tree: dict[str, object]) -> None:
    """Keys that are known with values that are not: what a person in a hurry writes."""
    text = "\n".join(f"{key} = {as_toml(value)}" for key, value in tree.items())
    parsed = loading.parse(text)
    parsed.faults += consistency.check(parsed)
    for fault in loading.located(parsed.faults, text, "gateway.toml"):
        assert fault.found.zh
        assert fault.found.en
        assert fault.wanted.zh
        assert fault.wanted.en
        assert len(str(fault)) < 2000
    if parsed.config() is None:
        assert any(not fault.warning for fault in parsed.faults)
