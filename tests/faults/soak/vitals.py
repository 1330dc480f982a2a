"""What /proc says of a process while it lives, and whether memory, descriptors and threads stay flat.

Only quiet moments count: while a broker is away or a disk is full a process may hold more. The first minutes of a life
are growth by nature (caches, the allocator); after them the last third of a life is held against the first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

WARM_S = 120.0
LEAST = 9  # samples, for a judgement
MEMORY_MB = 2.0
MEMORY_MB_PER_HOUR = 0.25
FEW = 1  # descriptors or threads: a client of the control socket, a name being looked up


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at one life of a process, `age` seconds into it."""

    age: float
    memory_mb: float
    descriptors: int
    threads: int
    private_mb: float = (
        0.0  # written to and shared with nobody: what only this process keeps the machine from
    )


def look(pid: int, age: float) -> Sample | None:
    """Return what /proc says; None when the process is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        fields = dict(line.split(":", 1) for line in status.splitlines())
        descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        private = rollup.partition("Private_Dirty:")[2].split()[0]
        return Sample(age, _mb(fields["VmRSS"].split()[0]), descriptors, int(fields["Threads"]), _mb(private))
    except (OSError, KeyError, IndexError):
        return None


def _mb(kilobytes: str) -> float:
    return int(kilobytes) * 1024 / 1e6


def judge(name: str, life: Sequence[Sample], *, warm_s: float = WARM_S) -> list[str]:
    """Return in words what grew over the quiet samples of one life; nothing for one too short to tell."""
    first, last = _ends([sample for sample in life if sample.age >= warm_s])
    if not first:
        return []
    hours = (life[-1].age - warm_s) / 3600
    bounds = {
        "memory_mb": MEMORY_MB + MEMORY_MB_PER_HOUR * hours,
        "descriptors": FEW,
        "threads": FEW,
    }
    found = []
    for what, bound in bounds.items():
        before, after = (median(getattr(sample, what) for sample in third) for third in (first, last))
        if after - before > bound:
            found.append(f"{name}: {what} grew from {before:.1f} to {after:.1f} in {hours:.2f} h")
    return found


def _ends(life: Sequence[Sample]) -> tuple[Sequence[Sample], Sequence[Sample]]:
    third = len(life) // 3
    return (life[:third], life[-third:]) if len(life) >= LEAST else ((), ())
