"""What `check` says of a line that is asked for more than its wire has the time for."""

import subprocess
import sys
from pathlib import Path

import pytest

from gateway import configuration
from gateway.core.faults import Fault
from gateway.terminal.words import LANGUAGES
from tests.gateway.test_configuration import BASE

DOOR, GAS, SMOKE, RADAR = "waveshare-door", "greystone-cmd5b4", "sonbest-sm7571b", "micradar-r60abd1"


def _file(folder: Path, baud: int, *products: str, port: str = "socket://192.168.1.20:4001") -> Path:
    file = folder / "gateway.toml"
    text = BASE.replace("socket://192.168.1.20:4001", port) + f"baud = {baud}\n"
    for number, product in enumerate(products, start=1):
        text += f'[[bus.device]]\nname = "d-{number}"\nprofile = "{product}"\naddress = {number}\n'
        text += 'place = { building = "1" }\n'
    (folder / "state").mkdir()
    file.write_text(text, encoding="utf-8")
    return file


def _crowded(folder: Path, baud: int, *products: str) -> list[Fault]:
    checked = configuration.check(_file(folder, baud, *products))
    assert checked.config is not None  # it runs all the same
    assert all(fault.warning for fault in checked.faults)
    return [fault for fault in checked.faults if fault.key == "bus[0].baud"]


def test_a_line_that_is_asked_for_too_much_is_told_with_what_each_class_will_get(tmp_path: Path) -> None:
    (fault,) = _crowded(tmp_path, 9600, *[DOOR] * 20, *[GAS] * 28)
    assert fault.found.zh == (
        "线路能力的 3.5 倍：安全类（燃气、水位、倾斜、求助）每 2.5 秒才问一遍，应为 1 秒；"
        "门禁每 2.3 秒才问一遍，应为 0.5 秒"
    )
    assert fault.found.en == (
        "3.5 times what it carries - safety (gas, water, tilt, calls for help): asked every 2.5 s instead of 1; "
        "doors: asked every 2.3 s instead of 0.5"
    )
    assert fault.line == BASE.count("\n") + 1


def test_what_would_mend_it_is_a_rate_or_a_number_of_lines(tmp_path: Path) -> None:
    (fault,) = _crowded(tmp_path, 9600, *[DOOR] * 12)
    assert fault.hint is not None
    assert (
        fault.hint.en
        == "set all its devices to 19200 baud, if they can, or divide its devices between 2 lines or more"
    )
    assert fault.hint.zh == "所有设备都改用 19200 波特（先查说明书），或把设备分到至少 2 条总线上"


def test_where_no_rate_is_enough_that_is_said(tmp_path: Path) -> None:
    (fault,) = _crowded(tmp_path, 9600, *[DOOR] * 40)
    assert fault.hint is not None
    assert fault.hint.en == "no baud rate is enough: divide its devices between 5 lines or more"


def test_what_mends_it_mends_it(tmp_path: Path) -> None:
    assert not _crowded(tmp_path, 19200, *[DOOR] * 12)


def test_a_class_that_gets_its_share_is_not_told_to_be_late(tmp_path: Path) -> None:
    (fault,) = _crowded(tmp_path, 9600, *[SMOKE] * 6, *[DOOR] * 20)
    assert "fire" not in fault.found.en
    assert "doors" in fault.found.en


def test_a_line_with_time_for_all_is_not_remarked_upon(tmp_path: Path) -> None:
    assert not _crowded(tmp_path, 9600, *[SMOKE] * 20)


def test_a_converter_on_the_network_that_speaks_modbus_tcp_has_no_wire_we_know(tmp_path: Path) -> None:
    checked = configuration.check(_file(tmp_path, 9600, *[DOOR] * 40, port="tcp://192.168.1.20:502"))
    assert not checked.faults


@pytest.mark.parametrize("wrong", ["baud = 0", "baud = -9600", "stop_bits = 0", 'parity = "?"'])
def test_a_line_with_a_mistake_in_it_is_told_that_mistake_and_nothing_breaks(
    tmp_path: Path, wrong: str
) -> None:
    file = _file(tmp_path, 9600, *[DOOR] * 40)
    text = file.read_text(encoding="utf-8").replace("baud = 9600\n", f"{wrong}\n")
    file.write_text(
        text + '[[bus.device]]\nname = "x"\nprofile = "no-such"\naddress = 70000\n', encoding="utf-8"
    )
    checked = configuration.check(file)
    assert checked.config is None
    assert any(
        fault.key == f"bus[0].{wrong.partition(' ')[0]}" and not fault.warning for fault in checked.faults
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_command_says_it_in_both_languages(tmp_path: Path, language: str) -> None:
    file = _file(tmp_path, 9600, *[DOOR] * 20)
    run = [sys.executable, "-m", "gateway", "--lang", language, "check", "-c", str(file)]
    done = subprocess.run(run, capture_output=True, text=True, check=True, timeout=60)
    assert {"zh": "门禁每 1.1 秒才问一遍", "en": "doors: asked every 1.1 s"}[language] in done.stdout
    assert {"zh": "分到至少 3 条总线", "en": "between 3 lines"}[language] in done.stdout
