"""What the tables of gateway.toml mean together: each slip a person makes has its fault, and no other."""

import pytest

from drivers.api import Action, Argument, Point, Profile, Text
from gateway.core import consistency, fitting, kinds, loading
from gateway.core.faults import Fault

BASE = """
[gateway]
id = "hxtp-01"
{gateway}
[mqtt]
url = "mqtts://broker.example"
{mqtt}
[[bus]]
name = "riser-a"
port = "/dev/rs485/0"
{bus}
[[bus.device]]
name = "smoke-1"
profile = "smoke"
address = 1
{device}
{more}
"""

TITLE = Text("烟感", "smoke")
SMOKE = Profile(
    name="smoke",
    driver="modbus",
    category="smoke",
    title=TITLE,
    points=(Point("alarm", None), Point("test", None)),
    rules=({"kind": "fire.smoke", "point": "alarm", "when": True},),
    actions=(Action("reset", None, TITLE, (Argument("seconds", 1, 10),)),),
)
MAYBE = Profile(
    name="maybe",
    driver="modbus",
    category="door",
    title=TITLE,
    points=(Point("contact", None),),
    verified=False,
)
READER = Profile(
    name="reader", driver="framed", category="door", title=TITLE, points=(Point("contact", None),)
)
TILT = Profile(name="tilt", driver="framed", category="tilt", title=TITLE, points=(Point("x", None),))
CARDS = Profile(name="cards", driver="osdp", category="reader", title=TITLE, points=(Point("tamper", None),))
PRODUCTS = fitting.Products(
    {"smoke": SMOKE, "maybe": MAYBE, "reader": READER, "tilt": TILT, "cards": CARDS},
    {"smoke", "maybe", "reader", "tilt", "cards", "broken"}, {"maybe": 255},
    kinds.built_in(), alone={"reader"}, bauds={"tilt": 115200},
)  # fmt: skip


def faults(**parts: str) -> list[Fault]:
    text = BASE.format(
        **{"gateway": "", "mqtt": "", "bus": "", "device": 'place = { building = "2" }', "more": ""} | parts
    )
    parsed = loading.parse(text)
    assert parsed.faults == [], parsed.faults
    return loading.located(
        [*consistency.check(parsed), *fitting.check(parsed, PRODUCTS)], text, "gateway.toml"
    )


def only(**parts: str) -> Fault:
    (fault,) = faults(**parts)
    return fault


def bus(port: str = "/dev/rs485/1", name: str = "second", **keys: object) -> str:
    return f'[[bus]]\nname = "{name}"\nport = "{port}"\n' + "\n".join(f"{k} = {v}" for k, v in keys.items())


def device(
    name: str = "smoke-2", profile: str = "smoke", address: int = 2, place: str = 'building = "2"'
) -> str:
    return f'[[bus.device]]\nname = "{name}"\nprofile = "{profile}"\naddress = {address}\nplace = {{ {place} }}\n'


def test_a_good_configuration_has_no_fault() -> None:
    assert faults(more=device() + bus() + "\n" + device("door-1", "reader", 1)) == []


@pytest.mark.parametrize(
    ("part", "line", "key"),
    [
        ("gateway", "retention_days = 0", "gateway.retention_days"),
        ("gateway", "journal_max_mb = 1", "gateway.journal_max_mb"),
        ("gateway", 'state_dir = ""', "gateway.state_dir"),
        ("mqtt", 'confirm = "desks"', "mqtt.confirm"),
        ("mqtt", "window = 0", "mqtt.window"),
        ("mqtt", "keep_alive_s = 0", "mqtt.keep_alive_s"),
        ("mqtt", 'cert_file = "a.pem"', "mqtt.key_file"),
        ("mqtt", 'key_file = "a.key"', "mqtt.cert_file"),
        ("mqtt", 'password_file = "a"', "mqtt.username"),
        ("bus", "baud = 9601", "bus[0].baud"),
        ("bus", 'parity = "None"', "bus[0].parity"),
        ("bus", "stop_bits = 3", "bus[0].stop_bits"),
        ("more", bus(port="COM3"), "bus[1].port"),
        ("more", bus(port="socket://10.0.0.1"), "bus[1].port"),
        ("more", bus(port="telnet://10.0.0.1:23"), "bus[1].port"),
        ("more", bus(port="socket://10.0.0.1:99999"), "bus[1].port"),
        ("more", bus(name="Riser B"), "bus[1].name"),
        ("more", bus(name="riser-a"), "bus[1].name"),
        ("more", bus(port="/dev/rs485/0"), "bus[1].port"),
        ("more", device(name="smoke-1"), "bus[0].device[1].name"),
        ("more", device(name="smoke_2"), "bus[0].device[1].name"),
        ("more", device(name="x" * 33), "bus[0].device[1].name"),
        ("more", device(address=0), "bus[0].device[1].address"),
        ("more", device(address=248), "bus[0].device[1].address"),
        ("more", device(address=-1), "bus[0].device[1].address"),
        ("more", device(profile="smke"), "bus[0].device[1].profile"),
        ("more", device(profile="reader"), "bus[0].device[1].profile"),
        ("device", 'place = { building = "2" }\nservice_years = -3', "bus[0].device[0].service_years"),
        ("more", '[[camera]]\nname = "smoke-1"\nurl = "rtsp://c/1"', "camera[0].name"),
        ("more", '[[camera]]\nname = "c"\nurl = "ftp://c/1"', "camera[0].url"),
        ("more", '[[camera]]\nname = "c"\nurl = "rtsp://c/1"\nwatch = [[0, 0], [1, 1]]', "camera[0].watch"),
        ("more", '[[rule]]\nkind = "fire.smoke"\npoint = "alarm"\nwhen = true\nreads = 1', "rule[0].reads"),
        ("device", 'place = { building = "2" }\nbaseline = { roll = 1.0 }', "bus[0].device[0].baseline.roll"),
        ("device", 'place = { building = "2" }\nrules = { "fire.smke" = { reads = 3 } }',
         'bus[0].device[0].rules."fire.smke"'),
    ],
)  # fmt: skip
def test_each_slip_is_told_once_at_its_key(part: str, line: str, key: str) -> None:
    fault = only(**{part: line})
    assert (fault.key, fault.warning) == (key, False)


@pytest.mark.parametrize("port", ["/dev/ttyUSB1", "/dev/ttyACM10"])
def test_a_port_whose_number_changes_with_a_restart_is_a_warning(port: str) -> None:
    fault = only(more=bus(port=port))
    assert (fault.key, fault.warning) == ("bus[1].port", True)
    assert "/dev/rs485" in fault.wanted.en


@pytest.mark.parametrize("port", ["/dev/ttyAMA0", "/dev/ttyS1", "/dev/rs485/usb-1.3"])
def test_a_port_whose_name_stays_is_none(port: str) -> None:
    text = BASE.format(gateway="", mqtt="", bus="", device="", more=bus(port=port))
    assert list(consistency.check(loading.parse(text))) == []


@pytest.mark.parametrize(
    "url", ["broker.example", "http://b", "mqtt://", "mqtts://b:0", "mqtts://b:70000", "mqtt://a b"]
)
def test_an_address_that_is_no_broker_is_told(url: str) -> None:
    text = BASE.format(gateway="", mqtt="", bus="", device="", more="").replace("mqtts://broker.example", url)
    assert [fault.key for fault in consistency.check(loading.parse(text))] == ["mqtt.url"]


@pytest.mark.parametrize(
    "url", ["mqtts://box:hunter2@b", "mqtt://box:hun@hunter2@b:1883", "mqtt://:hunter2@b"]
)
def test_a_password_inside_an_address_is_refused_and_never_shown(url: str) -> None:
    text = BASE.format(gateway="", mqtt="", bus="", device="", more="").replace("mqtts://broker.example", url)
    (fault,) = consistency.check(loading.parse(text))
    assert "hunter2" not in str(fault)
    assert fault.hint is not None
    assert "password_file" in fault.hint.en


def test_a_password_inside_a_camera_url_is_refused() -> None:
    fault = only(more='[[camera]]\nname = "c"\nurl = "rtsp://admin:hunter2@c/1"')
    assert fault.key == "camera[0].url"
    assert "hunter2" not in str(fault)


def test_a_duplicate_address_names_both_devices() -> None:
    fault = only(more=device(address=1))
    assert fault.key == "bus[0].device[1].address"
    assert "smoke-1" in fault.found.en
    assert "smoke-2" in fault.found.en


def test_the_same_address_on_two_lines_is_fine() -> None:
    assert faults(more=bus() + "\n" + device(address=1)) == []


def test_a_name_that_is_no_id_gets_one_suggested() -> None:
    hint = only(more=bus(name="Riser B")).hint
    assert hint is not None
    assert "riser-b" in hint.en


def test_a_missing_profile_suggests_the_nearest() -> None:
    hint = only(more=device(profile="smke")).hint
    assert hint is not None
    assert "smoke" in hint.en


def test_a_profile_with_faults_is_not_called_missing() -> None:
    assert faults(more=device(profile="broken")) == []


def test_a_product_that_ships_at_a_reserved_address_may_stand_there() -> None:
    assert [fault.warning for fault in faults(more=device(profile="maybe", address=255))] == [True]


def test_an_unverified_product_is_a_warning_once() -> None:
    found = faults(more=device("d-1", "maybe", 3) + device("d-2", "maybe", 4))
    assert [(fault.key, fault.warning) for fault in found] == [("bus[0].device[1].profile", True)]


def test_a_fire_detector_without_a_building_is_a_warning() -> None:
    fault = only(device='place = { floor = "3" }')
    assert (fault.key, fault.warning) == ("bus[0].device[0].place", True)


def test_the_building_of_the_gateway_counts_for_its_detectors() -> None:
    assert faults(gateway='place = { building = "2" }', device="") == []


def test_floors_of_a_camera_that_go_down_instead_of_up_are_a_warning() -> None:
    floors = "floors = [{ y = 900, floor = 4 }, { y = 300, floor = 1 }]"
    fault = only(more=f'[[camera]]\nname = "c"\nurl = "rtsp://c/1"\n{floors}')
    assert (fault.key, fault.warning, fault.found.en) == ("camera[0].floors", True, "floor 4 below floor 1")


def test_a_secret_over_a_plain_connection_is_a_warning() -> None:
    text = BASE.format(gateway="", mqtt='username = "a"\npassword_file = "b"', bus="", device="", more="")
    (fault,) = consistency.check(loading.parse(text.replace("mqtts://", "mqtt://")))
    assert (fault.key, fault.warning) == ("mqtt.password_file", True)


@pytest.mark.parametrize(
    ("address", "key_file", "wrong"),
    [
        (0, "reader-1-key", []),
        (126, "reader-1-key", []),
        (127, "reader-1-key", ["address"]),
        (0, "", ["key_file"]),
    ],
)
def test_a_reader_has_an_osdp_address_and_a_file_for_its_key(
    address: int, key_file: str, wrong: list[str]
) -> None:
    reader = device("reader-1", "cards", address) + (f'key_file = "{key_file}"\n' if key_file else "")
    told = faults(more=bus() + "\n" + reader)
    assert [fault.key.rpartition(".")[2] for fault in told] == wrong


def test_a_key_for_what_has_none_is_told() -> None:
    (fault,) = faults(device='place = { building = "2" }\nkey_file = "key"')
    assert fault.key == "bus[0].device[0].key_file"


@pytest.mark.parametrize(
    ("first", "second", "wrong"),
    [
        ("tilt", "tilt", []),
        ("reader", "reader", ["bus[1].device[1].profile"]),  # nothing in its frames says whose they are
        ("tilt", "reader", ["bus[1].device[1].profile"]),  # two framings on one line
    ],
)
def test_devices_that_speak_in_frames_share_a_line_only_if_they_can_be_told_apart(
    first: str, second: str, wrong: list[str]
) -> None:
    told = faults(more=bus(baud=115200) + "\n" + device("one", first, 0) + device("two", second, 255))
    assert [fault.key for fault in told] == wrong


@pytest.mark.parametrize(
    ("port", "baud", "wrong"),
    [
        ("/dev/rs485/1", 9600, ["bus[1].baud"]),
        ("/dev/rs485/1", 115200, []),
        ("socket://10.0.0.9:4001", 9600, []),  # there the converter has the rate
    ],
)
def test_a_line_at_another_rate_than_its_framed_devices_is_warned_of_once(
    port: str, baud: int, wrong: list[str]
) -> None:
    told = faults(more=bus(port, baud=baud) + "\n" + device("one", "tilt", 1) + device("two", "tilt", 2))
    assert [(fault.key, fault.warning) for fault in told] == [(key, True) for key in wrong]
