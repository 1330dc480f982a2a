"""A pretend machine: a folder that looks like /proc and /sys of a Raspberry Pi, whose values a test can change."""

import os
from pathlib import Path
from typing import Final

FIRMWARE: Final = "sys/devices/platform/soc/soc:firmware/get_throttled"
CARD: Final = "sys/devices/platform/emmc2bus/mmc_host/mmc0/mmc0:0001/block/mmcblk0"


class Pi:
    """A Pi below `root`, whose card holds `folder`."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root = root
        device = folder.stat().st_dev
        self.write(FIRMWARE, "0\n")
        self.write("sys/class/thermal/thermal_zone0/temp", "48312\n")
        self.write("sys/class/hwmon/hwmon0/name", "cpu_thermal\n")
        self.write("sys/class/hwmon/hwmon1/name", "rpi_volt\n")
        self.write("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "0\n")
        self.write("sys/class/rtc/rtc0/name", "rpi-rtc\n")
        self.write(f"{CARD}/mmcblk0p2/partition", "2\n")
        self.write(f"{CARD}/device/life_time", "0x01 0x02\n")
        self.written(2_000)
        entry = root / f"sys/dev/block/{os.major(device)}:{os.minor(device)}"
        entry.parent.mkdir(parents=True)
        entry.symlink_to(root / CARD / "mmcblk0p2")
        self.write("proc/meminfo", "MemTotal:  1000000 kB\nMemFree: 1 kB\nMemAvailable:  600000 kB\n")
        self.write("proc/self/io", "rchar: 1\nwchar: 2\nwrite_bytes: 40960\ncancelled_write_bytes: 0\n")
        self.write("proc/self/statm", "100 50 10 1 0 5 0\n")
        self.write(
            "proc/self/limits", "Limit  Soft  Hard  Units\nMax open files            1024     4096   files\n"
        )
        for number in range(3):
            self.write(f"proc/self/fd/{number}", "")

    def write(self, path: str, text: str) -> None:
        """Have a file say something."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def written(self, sectors: int) -> None:
        """Have so many sectors been written to the card since boot."""
        self.write(f"{CARD}/stat", f"  10 0 80 5  20 0 {sectors} 9 0 14 14 0 0 0 0 0 0\n")
