"""Code that only starting needed is given back: how much that is, what is left alone, and that all goes on working."""

import json
import os
import subprocess
import sys

import numpy as np

from gateway.vision.shedding import constant, unchanged

MAPS = """\
7f0000000000-7f0000001000 r--p 00000000 fe:00 11                         /usr/lib/libone.so.1
7f0000001000-7f0000009000 r-xp 00001000 fe:00 11                         /usr/lib/libone.so.1
7f0000009000-7f000000a000 rw-p 00009000 fe:00 11                         /usr/lib/libone.so.1
7f000000a000-7f000000b000 r--s 00000000 fe:00 15                         /usr/lib/shared.so
7f0000010000-7f0000012000 r-xp 00000000 00:00 0
7f0000020000-7f0000022000 r-xp 00000000 fe:00 13                         /usr/bin/python3.11
7f0000030000-7f0000031000 r--p 00000000 fe:00 14                         /usr/lib/my libs/cv2.abi3.so
"""
THERE, OF_A_FILE, SWAPPED = 1 << 63, 1 << 61, 1 << 62  # proc(5), /proc/PID/pagemap

WATCHES = """
import json, pathlib
import cv2, numpy as np, av, onnxruntime
from gateway.vision.shedding import shed_unused_code

def shared():
    status = pathlib.Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssFile"))

def works():
    picture = np.arange(4096, dtype=np.uint8).reshape(64, 64)
    return int(cv2.resize(picture, (8, 8), interpolation=cv2.INTER_AREA).sum()), float(np.linalg.det(np.eye(4)))

first, before = works(), shared()
given = shed_unused_code()
after = shared()
print(json.dumps([given, before, after, first == works()]))
"""


def test_only_what_a_library_has_for_reading_or_running_is_looked_at() -> None:
    assert constant(MAPS) == [(0x7F0000000000, 0x1000), (0x7F0000001000, 0x8000), (0x7F0000030000, 0x1000)]


def test_a_page_that_the_loader_has_changed_is_kept_and_one_that_is_not_there_is_left_alone() -> None:
    clean, changed = THERE | OF_A_FILE, THERE
    pages = [clean, clean, changed, clean, 0, OF_A_FILE, SWAPPED | OF_A_FILE, clean]
    assert unchanged(np.array(pages, np.uint64)) == [(0, 2), (3, 1), (7, 1)]
    assert unchanged(np.array([], np.uint64)) == []


def test_a_process_that_gave_its_startup_code_back_is_smaller_by_megabytes_and_goes_on_working() -> None:
    environment = os.environ | {"ORT_DISABLE_TELEMETRY": "1"}
    output = subprocess.check_output([sys.executable, "-c", WATCHES], env=environment, text=True)
    given, before_kb, after_kb, works = json.loads(output)
    assert given > 30_000_000
    assert before_kb - after_kb > 30_000
    assert works
