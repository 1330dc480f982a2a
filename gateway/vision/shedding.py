"""Give back the parts of libraries that a camera's process seldom needs: what starting, or a fall, ran through.

Loading NumPy, OpenCV, FFmpeg and onnxruntime runs once through some fifty megabytes of them: registers of operators,
tables, initialisers. Most of it is never read again and would count as this process's memory for years. These are clean
pages of files, so the kernel lets go of them at once (madvise(2), MADV_DONTNEED) and maps a page again when it is
needed after all: from memory, where the kernel keeps it as long as there is room, else from the file. Only what
cannot be written is given back, and of that no page that the loader has changed.

With it go the holes between what is allocated, as far as they are whole pages (malloc_trim(3), where there is one).
"""

import contextlib
import ctypes
import os
import re
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

MADV_DONTNEED: Final = 4  # <linux/mman.h>
OF_A_FILE: Final = 1 << 61 | 1 << 63  # in /proc/PID/pagemap: there, and a page of a file (proc(5))
_MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) r-[-x]p \S+ \S+ \d+ +\S.*\.so[.0-9]*")


def shed_unused_code() -> int:
    """Give the code and constants of all shared libraries back; return how many bytes that was. 0 off Linux.

    Any thread may, at any time: whoever runs through it meanwhile goes on.
    """
    given, page = 0, os.sysconf("SC_PAGE_SIZE")
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    with contextlib.suppress(OSError):
        advise = ctypes.CDLL(None, use_errno=True).madvise
        advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
        with Path("/proc/self/pagemap").open("rb", buffering=0) as pagemap:
            for start, length in constant(Path("/proc/self/maps").read_text(encoding="utf-8")):
                entries = os.pread(pagemap.fileno(), length // page * 8, start // page * 8)
                for first, count in unchanged(np.frombuffer(entries, np.uint64)):
                    done = advise(start + first * page, count * page, MADV_DONTNEED) == 0
                    given += count * page if done else 0
    return given


def constant(maps: str) -> list[tuple[int, int]]:
    """Return (address, length) of what shared libraries have mapped for reading or running only.

    `maps` is what proc(5) tells of a process under that name.
    """
    found = [mapping for line in maps.splitlines() if (mapping := _MAPPING.fullmatch(line))]
    return [(int(each[1], 16), int(each[2], 16) - int(each[1], 16)) for each in found]


def unchanged(entries: NDArray[np.uint64]) -> list[tuple[int, int]]:
    """Return (first page, pages) of each run of pages that are there as the file has them; `entries` are pagemap's."""
    clean = (entries & np.uint64(OF_A_FILE)) == OF_A_FILE
    edges = np.flatnonzero(np.diff(clean, prepend=False, append=False)).tolist()
    return [(first, end - first) for first, end in zip(edges[::2], edges[1::2], strict=True)]
