"""What the wizard decides, without a terminal: places, names, refusals, the unit."""

import signal
import ssl
import subprocess
import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from drivers.scan import Fit, Found, Setting
from gateway.setup import keeping, questions, trying
from gateway.setup.document import document
from gateway.setup.found import Device, Installed, Line, Site, Wired
from gateway.setup.looking import line_of, ports
from gateway.setup.unit import Unit
from gateway.terminal.errors import ToolError
from gateway.terminal.words import Words


@pytest.mark.parametrize(
    ("history", "proposed"),
    [
        ([], "1/1/1"),
        (["2/1/1"], "2/1/1"),
        (["2/1/1", "2/1/2"], "2/1/3"),
        (["2/1/7", "2/1/6"], "2/1/5"),
        (["2/1/1", "2/1/2", "//"], "2/1/3"),
        (["2/1/7", "2/2/1"], "2/2/1"),
        (["2/1/-2", "2/1/-1"], "2/1/1"),
        (["2/1/负一"], "2/1/负一"),
    ],
)
def test_going_up_the_stairs_is_one_key(history: list[str], proposed: str) -> None:
    assert questions.next_place(history) == proposed


@pytest.mark.parametrize(
    ("told", "meant"),
    [("+", "2/1/4"), ("-", "2/1/2"), ("=", "2/1/3"), ("7", "2/1/7"), ("3/2/1", "3/2/1"), ("2", "2/1/2"),
     ("3/", "3//"), (".", "//"), ("x", "x"), ("甲/1", "甲/1/")],
)  # fmt: skip
def test_a_place_is_told_in_a_few_keys(told: str, meant: str) -> None:
    assert questions.place(told, "2/1/3") == meant


@pytest.mark.parametrize("told", ["", "1/2/3/4", "2/1/\x07", "2/" + "1" * 80])
def test_what_is_no_place_is_refused(told: str) -> None:
    with pytest.raises(questions.WrongError):
        questions.place(told, "2/1/3")


def test_a_name_follows_from_the_place_and_is_nobody_elses() -> None:
    smoke = Device(7, (), "smoke")
    assert questions.device_name(smoke, "2/1/3", 1, set()) == "smoke-2-1-3"
    assert questions.device_name(smoke, "2/1/3", 1, {"smoke-2-1-3"}) == "smoke-2-1-3-2"
    assert questions.device_name(smoke, "甲//", 2, set()) == "smoke-l2-7"
    assert len(questions.device_name(smoke, "a" * 60, 1, set())) <= 32


@pytest.mark.parametrize("told", ["mqtt://user:secret@host", "http://host", "mqtts://", "a b"])
def test_an_address_with_a_secret_or_of_another_kind_is_refused(told: str) -> None:
    with pytest.raises(questions.WrongError):
        questions.broker(told)


def test_a_broker_without_a_scheme_is_one_with_tls() -> None:
    assert questions.broker("broker.example:8883") == "mqtts://broker.example:8883"


def found(address: int, baud: int) -> Found:
    fit = Fit("p", "smoke", 1, 1, identified=True, registers=1, as_shipped=True, verified=True)
    return Found(Setting(baud, "none"), address, (fit,))


def test_a_line_has_the_speed_of_most_and_the_others_are_named() -> None:
    line = line_of("/dev/a", [found(1, 4800), found(2, 9600), found(3, 9600)], Counter())
    assert (line.baud, [each.address for each in line.devices], line.elsewhere) == (9600, [2, 3], (1,))


def test_an_address_is_garbled_only_by_more_than_a_glitch() -> None:
    noise = Counter({(Setting(9600, "none"), 4): 9, (Setting(9600, "none"), 5): 1})
    assert line_of("/dev/a", [found(2, 9600)], noise).garbled == (4,)


def test_an_adapter_with_several_names_is_listed_once_by_the_one_that_stays(tmp_path: Path) -> None:
    (tmp_path / "rs485").mkdir()
    (tmp_path / "ttyUSB0").touch()
    for name in ("serial-A50285BI-if00", "zz"):
        (tmp_path / "rs485" / name).symlink_to(tmp_path / "ttyUSB0")
    assert ports(tmp_path / "rs485")[:1] == [str(tmp_path / "rs485" / "serial-A50285BI-if00")]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_whatever_a_person_types_the_file_is_toml_and_says_it(language: str) -> None:
    label = 'east "wing" \\ # 东'
    thing = Installed("smoke-1", 1, "sonbest-sm7571b", "smoke", {"building": "#2"}, label)
    line = Wired("riser", Line("/dev/a"), (thing,), unknown=(9,))
    site = Site("a", label, {"compound": label}, "state", (line,))
    text = document(site, {}, Words(language))
    made = tomllib.loads(text)
    assert made["gateway"]["name"] == label
    assert made["bus"][0]["device"][0]["label"] == label
    assert max(map(len, text.splitlines())) < 200


class Refusal:
    """A CONNACK."""

    def __init__(self, value: int) -> None:
        self.value, self.is_failure = value, value >= 0x80

    def __str__(self) -> str:
        return f"code {self.value}"


@pytest.mark.parametrize(("code", "reason"), [(0x86, "password"), (0x87, "not_allowed"), (0x85, "client_id"),
                                              (0x97, "refused"), (0x84, "version"), (0, "good")])  # fmt: skip
def test_every_refusal_has_words_and_keeps_the_brokers_own(code: int, reason: str) -> None:
    tried = trying.judged(Refusal(code), 5)
    assert tried.reason == reason
    assert tried.detail == ("" if tried.good else f"code {code}")
    assert f"setup.broker_{reason}" in Words("zh")


@pytest.mark.parametrize(("tls", "reason"), [(False, "hung_up"), (True, "certificate")])
def test_a_broker_that_hangs_up_has_words_too(tls: bool, reason: str) -> None:
    assert trying.judged(None, 5, tls=tls).reason == reason
    assert f"setup.broker_{reason}" in Words("zh")


def test_every_reason_not_to_reach_a_broker_has_words() -> None:
    expired = ssl.SSLCertVerificationError()
    expired.verify_code = 10
    errors: list[OSError | ValueError] = [
        expired,
        ssl.SSLError("x"),
        ConnectionRefusedError(),
        TimeoutError(),
        OSError("x"),
        ValueError("x"),
    ]
    reasons = [trying.reason_of(each) for each in errors]
    assert reasons == ["expired", "tls", "nobody", "silent", "network", "network"]
    assert all(f"setup.broker_{each}" in Words("en") for each in (*reasons, *trying.REFUSALS.values()))


class Systemctl:
    """A systemctl that writes down what it was told, fails where it shall, and gets a Ctrl-C at `interrupted`."""

    def __init__(self, *failing: str, interrupted: Sequence[str] = ()) -> None:
        self.told: list[str] = []
        self._failing, self._interrupted = failing, interrupted

    def __call__(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        if arguments[0] in self._interrupted:
            signal.raise_signal(signal.SIGINT)
        self.told.append(arguments[0])
        return subprocess.CompletedProcess([], int(arguments[0] in self._failing), "", "Job failed.")


def test_a_gateway_that_was_stopped_is_started_again_whatever_happens(tmp_path: Path) -> None:
    systemctl = Systemctl()
    unit = Unit(systemctl, root=True, booted=tmp_path)
    with pytest.raises(KeyboardInterrupt), unit.stopped(wanted=unit.active):
        raise KeyboardInterrupt
    assert systemctl.told == ["cat", "is-active", "stop", "start"]


def test_a_gateway_is_started_again_though_somebody_was_impatient_while_it_was_stopped(
    tmp_path: Path,
) -> None:
    systemctl = Systemctl(interrupted=["stop", "start"])
    unit = Unit(systemctl, root=True, booted=tmp_path)
    with pytest.raises(KeyboardInterrupt), unit.stopped(wanted=True):
        raise AssertionError("the wizard goes on")
    assert systemctl.told == ["cat", "start"]


def test_a_unit_that_will_not_start_is_told_in_systemds_words(tmp_path: Path) -> None:
    with pytest.raises(ToolError) as told:
        Unit(Systemctl("restart"), root=True, booted=tmp_path).take_up()
    assert told.value.values["reason"] == "Job failed."


def test_whoever_is_not_root_or_has_no_unit_touches_none(tmp_path: Path) -> None:
    assert not Unit(Systemctl(), root=False, booted=tmp_path).active
    assert not Unit(Systemctl("cat"), root=True, booted=tmp_path).there
    assert not Unit(Systemctl(), root=True, booted=tmp_path / "none").there


def test_the_sample_of_the_package_is_nobodys_file(tmp_path: Path) -> None:
    sample, file = tmp_path / "sample", tmp_path / "gateway.toml"
    sample.write_text("# sample", encoding="utf-8")
    assert not keeping.is_somebodys(file, sample)
    file.write_text("# sample", encoding="utf-8")
    assert not keeping.is_somebodys(file, sample)
    file.write_text("# sample, changed", encoding="utf-8")
    assert keeping.is_somebodys(file, sample)
