"""A process of its own that decodes and watches one file as a camera's does, and says what memory it took.

    python -m tests.bench.vision_child FILE

VmHWM is the peak of this process alone (proc(5)); what wait(2) tells of a child counts its parent's memory too,
which it shares until it becomes another program.
"""

import json
import os
import sys
from pathlib import Path

import cv2

from gateway.vision.classifier import Classifier
from gateway.vision.film import Film
from gateway.vision.frames import open_source
from gateway.vision.shedding import shed_unused_code
from gateway.vision.watcher import Watcher


def main(path: str) -> None:
    """Watch the file and print the peak of resident memory in MB (10^6 bytes)."""
    cv2.setNumThreads(1)
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    judge = Classifier.default()
    shed_unused_code()
    with open_source(path) as frames:
        for _ in Film().watch(frames, Watcher(judge, threshold=judge.card.threshold)):
            pass
    print(json.dumps({"rss_mb": peak_mb(os.getpid())}))


def peak_mb(pid: int) -> float:
    """Return the peak of a process's resident memory in MB (10^6 bytes)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    peak = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return round(int(peak) * 1024 / 1e6, 1)


if __name__ == "__main__":
    main(sys.argv[1])
