"""Give back the program code that only starting needed, once a camera's process is about to watch.

Loading NumPy, OpenCV, FFmpeg and onnxruntime runs once through some thirty megabytes of their code: registers of
operators, tables, initialisers. Most of it is never run again and would count as this process's memory for years.
These are clean pages of files, so the kernel lets go of them at once (madvise(2), MADV_DONTNEED) and reads a page
again should it be needed after all. Only mappings in which the process itself has changed nothing are given back.
"""

import contextlib
import ctypes
import re
from pathlib import Path
from typing import Final

MADV_DONTNEED: Final = 4  # <linux/mman.h>
_MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \d+ *(.*)")


def shed_startup_code() -> int:
    """Give the code of all shared libraries back; return how many bytes of address space that was. 0 off Linux."""
    given = 0
    with contextlib.suppress(OSError):
        advise = ctypes.CDLL(None, use_errno=True).madvise
        advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
        for start, length in unchanged_code(Path("/proc/self/smaps").read_text(encoding="utf-8")):
            given += length if advise(start, length, MADV_DONTNEED) == 0 else 0
    return given


def unchanged_code(smaps: str) -> list[tuple[int, int]]:
    """Return (address, length) of the executable mappings of shared libraries without a page of our own.

    `smaps` is what proc(5) tells of a process under that name.
    """
    found: list[tuple[int, int]] = []
    code: tuple[int, int] | None = None
    for line in smaps.splitlines():
        if mapping := _MAPPING.fullmatch(line):
            start, end = int(mapping[1], 16), int(mapping[2], 16)
            code = (start, end - start) if mapping[3] == "r-xp" and ".so" in mapping[4] else None
        elif code and line.split() == ["Anonymous:", "0", "kB"]:
            found.append(code)
    return found
