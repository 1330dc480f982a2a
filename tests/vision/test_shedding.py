"""Code that only starting needed is given back: how much that is, what is left alone, and that all goes on working."""

import json
import os
import subprocess
import sys

from gateway.vision.shedding import unchanged_code

SMAPS = """\
7f0000000000-7f0000001000 r--p 00000000 fe:00 11 /usr/lib/libone.so.1
Rss:                   4 kB
Anonymous:             0 kB
7f0000001000-7f0000009000 r-xp 00001000 fe:00 11 /usr/lib/libone.so.1
Rss:                  32 kB
Anonymous:             0 kB
7f0000009000-7f000000a000 rw-p 00009000 fe:00 11 /usr/lib/libone.so.1
Anonymous:             0 kB
7f0000010000-7f0000012000 r-xp 00000000 fe:00 12 /usr/lib/patched.so
Anonymous:             4 kB
7f0000020000-7f0000022000 r-xp 00000000 00:00 0
Anonymous:             0 kB
7f0000030000-7f0000032000 r-xp 00000000 fe:00 13 /usr/bin/python3.11
Anonymous:             0 kB
"""

WATCHES = """
import json, pathlib
import cv2, numpy as np, av, onnxruntime
from gateway.vision.shedding import shed_startup_code

def shared():
    status = pathlib.Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssFile"))

def works():
    picture = np.arange(4096, dtype=np.uint8).reshape(64, 64)
    return int(cv2.resize(picture, (8, 8), interpolation=cv2.INTER_AREA).sum()), float(np.linalg.det(np.eye(4)))

first, before = works(), shared()
given = shed_startup_code()
after = shared()
print(json.dumps([given, before, after, first == works()]))
"""


def test_only_code_of_libraries_in_which_nothing_was_changed_is_given_back() -> None:
    assert unchanged_code(SMAPS) == [(0x7F0000001000, 0x8000)]


def test_a_process_that_gave_its_startup_code_back_is_smaller_by_megabytes_and_goes_on_working() -> None:
    environment = os.environ | {"ORT_DISABLE_TELEMETRY": "1"}
    output = subprocess.check_output([sys.executable, "-c", WATCHES], env=environment, text=True)
    given, before_kb, after_kb, works = json.loads(output)
    assert given > 10_000_000
    assert before_kb - after_kb > 10_000
    assert works
