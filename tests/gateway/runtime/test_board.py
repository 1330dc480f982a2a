"""What /proc and /sys say is read rightly, and what they do not say is absent."""

import os
from pathlib import Path

import pytest

from gateway.core.board import Measured
from gateway.runtime.board import Board
from tests.machine import CARD, FIRMWARE, Pi


@pytest.fixture
def pi(tmp_path: Path) -> Pi:
    return Pi(tmp_path / "pi", tmp_path)


def look(pi: Pi, folder: Path) -> Measured:
    return Board(folder, root=pi.root).measure()


def test_a_pi_tells_all_there_is(pi: Pi, tmp_path: Path) -> None:
    seen = look(pi, tmp_path)
    room = os.statvfs(tmp_path)
    assert seen.temperature_c == pytest.approx(48.312)
    assert (seen.undervoltage, seen.undervoltage_since_boot, seen.throttled, seen.rtc) == (
        False,
        False,
        False,
        True,
    )
    assert seen.disk_bytes == room.f_blocks * room.f_frsize
    assert (seen.memory_bytes, seen.memory_available_bytes) == (1_024_000_000, 614_400_000)
    assert seen.rss_bytes == 50 * os.sysconf("SC_PAGE_SIZE")
    assert (seen.descriptors, seen.descriptors_max) == (3, 1024)
    assert (seen.card, seen.card_life_used, seen.card_written_bytes) == ("mmcblk0", 0.2, 1_024_000)
    assert seen.written_bytes == 40_960


@pytest.mark.parametrize(
    ("bits", "now", "ever", "slow"),
    [
        ("0x0", False, False, False),
        ("50005", True, True, True),
        ("50000", False, True, False),
        ("4", False, False, True),
    ],
)
def test_the_firmwares_bits_are_what_its_maker_says(
    pi: Pi, tmp_path: Path, bits: str, now: bool, ever: bool, slow: bool
) -> None:
    pi.write(FIRMWARE, bits + "\n")
    seen = look(pi, tmp_path)
    assert (seen.undervoltage, seen.undervoltage_since_boot, seen.throttled) == (now, ever, slow)


def test_the_kernels_own_alarm_is_enough_where_the_firmware_is_silent(pi: Pi, tmp_path: Path) -> None:
    (pi.root / FIRMWARE).unlink()
    assert look(pi, tmp_path).undervoltage is False
    pi.write("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n")
    assert look(pi, tmp_path).undervoltage is True
    assert look(pi, tmp_path).throttled is None


def test_the_hottest_zone_counts_and_one_that_cannot_be_read_does_not(pi: Pi, tmp_path: Path) -> None:
    pi.write("sys/class/thermal/thermal_zone1/temp", "81000\n")
    pi.write("sys/class/thermal/thermal_zone2/temp", "\n")
    assert look(pi, tmp_path).temperature_c == 81.0


def test_a_whole_disk_without_partitions_is_found_too(pi: Pi, tmp_path: Path) -> None:
    (pi.root / CARD / "mmcblk0p2" / "partition").unlink()
    pi.write(f"{CARD}/mmcblk0p2/stat", "1 0 8 5 2 0 16 9 0 14 14\n")
    seen = look(pi, tmp_path)
    assert (seen.card, seen.card_written_bytes, seen.card_life_used) == ("mmcblk0p2", 8_192, None)


@pytest.mark.parametrize("life", ["0x00 0x00\n", "garbage\n", ""])
def test_a_card_that_does_not_know_its_life_claims_none(pi: Pi, tmp_path: Path, life: str) -> None:
    pi.write(f"{CARD}/device/life_time", life)
    assert look(pi, tmp_path).card_life_used is None


def test_a_machine_that_is_no_pi_and_shows_nothing_has_only_its_disk(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    seen = Board(tmp_path, root=tmp_path / "empty").measure()
    assert seen.disk_free_bytes is not None
    told = {name for name in Measured.__slots__ if getattr(seen, name) is not None}
    assert told == {"disk_bytes", "disk_free_bytes"} | ({"inodes", "inodes_free"} & told)


def test_a_board_without_a_hardware_clock_says_so(pi: Pi, tmp_path: Path) -> None:
    (pi.root / "sys/class/rtc/rtc0/name").unlink()
    (pi.root / "sys/class/rtc/rtc0").rmdir()
    assert look(pi, tmp_path).rtc is False


def test_a_folder_that_is_gone_is_no_error(pi: Pi, tmp_path: Path) -> None:
    seen = look(pi, tmp_path / "gone")
    assert (seen.disk_bytes, seen.card, seen.temperature_c) == (None, None, 48.312)


def test_this_very_machine_can_be_looked_at(tmp_path: Path) -> None:
    seen = Board(tmp_path).measure()
    assert seen.rss_bytes is not None
    assert seen.rss_bytes > 1_000_000
    assert seen.descriptors is not None
    assert seen.written_bytes is not None
