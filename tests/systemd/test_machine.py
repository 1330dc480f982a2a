"""What an emulated machine is started with, what it tells, and how its chip is judged; `machine.py` starts one."""

from pathlib import Path
from typing import Any

import pytest

from tests.systemd import report_disk, virtual_machine
from tests.systemd.machine import chip_did

RESET: list[dict[str, Any]] = [
    {"event": "WATCHDOG", "data": {"action": "reset"}, "timestamp": {"seconds": 1014, "microseconds": 0}},
    {"event": "SHUTDOWN", "data": {"guest": True, "reason": "guest-reset"}, "timestamp": {"seconds": 1014}},
]


@pytest.fixture
def debian(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A root folder with the kernel of an architecture."""
    (tmp_path / "boot").mkdir()
    for name in ("vmlinuz", "initrd.img"):
        (tmp_path / "boot" / f"{name}-6.1.0-50-{request.param}").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("debian", "qemu", "console"),
    [("amd64", "qemu-system-x86_64", "ttyS0"), ("arm64", "qemu-system-aarch64", "ttyAMA0")],
    indirect=["debian"],
)
def test_a_machine_is_that_of_its_debians_kernel(debian: Path, qemu: str, console: str) -> None:
    made = virtual_machine.command(debian, [debian / "a.img"], "story.life=2", "panic=0")
    words = made[made.index("-append") + 1]
    assert made[0] == qemu
    assert f"console={console} " in words
    assert words.endswith("story.life=2 panic=0"), "the last word counts, and another panic= stands before"


def test_what_is_written_on_a_report_disk_is_read_from_it_again_and_an_empty_one_says_nothing(
    tmp_path: Path,
) -> None:
    disk = tmp_path / "report.img"
    report_disk.blank(disk, megabytes=1)
    assert report_disk.read(disk) is None
    report_disk.write(disk, {"steps": ["a long one " * 100]})
    report_disk.write(disk, {"quiet": ["感烟"]})
    assert report_disk.read(disk) == {"quiet": ["感烟"]}
    assert disk.stat().st_size == 1 << 20


@pytest.mark.parametrize(
    ("events", "hung_at", "good"),
    [
        (RESET, 1000.0, True),
        (RESET, 980.0, False),  # so late that somebody else may have done it
        (RESET, None, False),  # before anything was hung
        (RESET[1:], 1000.0, False),  # a reset, but not the chip's
        ([], 1000.0, False),
    ],
)
def test_a_reset_counts_only_where_the_chip_did_it_soon_after_the_machine_hung(
    events: list[dict[str, Any]], hung_at: float | None, good: bool
) -> None:
    assert chip_did("hung", events, hung_at, 60.0)["good"] is good
