"""`python -m tests.faults.soak --hours 8 [--seed N]`: the unmodified gateway among all faults; exit 1 on any violation.

Progress every minute, a table, and one JSON object as the last line. Needs root, mosquitto and, for the clock,
libfaketime. What was left behind for a look: `--keep DIR`.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.soak.causing import FAULTS, SPARING
from tests.faults.soak.playing import PACE, Outcome, Pace, Soak
from tests.faults.soak.site import Site, site
from tests.faults.soak.watching import Watch

EVERY_S = 60.0


def main() -> int:
    """Run the soak."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__)
    parser.add_argument("--hours", type=float, default=8.0, help="how long (default 8)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="replays the same faults")
    parser.add_argument("--deed-s", type=float, default=PACE.deed_s, help="mean seconds between two deeds")
    parser.add_argument("--fault-s", type=float, default=PACE.fault_s, help="mean seconds between two faults")
    parser.add_argument("--keep", type=Path, help="a folder for logs, records and vitals.csv")
    parser.add_argument(
        "--one-life", action="store_true", help="only faults that gateway and desk live through"
    )
    options = parser.parse_args()
    print(f"soak: {options.hours:g} h, seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = options.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        with site(folder, own_clock=not options.one_life) as place:
            faults = tuple(each for each in SPARING if each.part != "clock") if options.one_life else FAULTS
            soak = Soak(place, options.seed, pace=Pace(options.deed_s, options.fault_s), faults=faults)
            teller = Teller(_watch(place, folder))
            outcome = soak.play(options.hours * 3600, teller)
            if options.one_life:
                outcome.violations += teller.watch.judge()
        show_trends(teller.watch)
    show(outcome, options.seed)
    return 1 if outcome.violations else 0


class Teller:
    """Tells how it goes, once a minute, and keeps watch."""

    def __init__(self, watch: Watch) -> None:
        self.watch, self._next = watch, 0.0

    def __call__(self, soak: Soak, elapsed: float) -> None:
        """Say a line when it is time."""
        self.watch.look(elapsed)
        if elapsed < self._next:
            return
        self._next = elapsed + EVERY_S
        life = soak.lives[-1][-1] if soak.lives and soak.lives[-1] else None
        vital = f"{life.memory_mb:.1f} MB, {life.descriptors} fds, {life.threads} threads" if life else "..."
        now = ", ".join(running.fault.name for running in soak.running) or "quiet"
        waits = [f"{d.sort.name}:{d.target}:{d.stage.value}" for d in soak.deeds.open]
        print(
            f"{elapsed / 60:6.1f} min  {len(soak.deeds.over):5} deeds over, {len(waits)} open"
            f"  life {len(soak.lives)}: {vital}  [{now}]  {' '.join(waits)[:120]}",
            flush=True,
        )


def _watch(place: Site, folder: Path) -> Watch:
    pids = {"gateway": lambda: place.gateway.pid, "desk": lambda: place.desk.pid if place.desk.runs else 0}
    return Watch(folder / "vitals.csv", pids)


def show_trends(watch: Watch) -> None:
    """Print how memory, descriptors and threads went over the last half of each process's last life."""
    print(f"\n{'process':10}{'figure':14}{'lives':>6}{'last':>9}   an hour more, over the last half (95 %)")
    for name, what, last, how in watch.trends():
        print(f"{name:10}{what:14}{watch.lives[name]:6}{last:9.1f}   {how}")


def show(outcome: Outcome, seed: int) -> None:
    """Print the table, the violations and the JSON."""
    print(f"\n{'fault':32}{'times':>8}")
    for name, count in outcome.faults.items():
        print(f"{name:32}{count:8}")
    print(f"\n{'deed':32}{'told and over':>8}")
    for name, count in outcome.deeds.items():
        print(f"{name:32}{count:8}")
    print()
    for each in outcome.violations:
        print(f"VIOLATION  {each}")
    print(json.dumps({**outcome.figures, "seed": seed, "violations": len(outcome.violations)}))


if __name__ == "__main__":
    sys.exit(main())
