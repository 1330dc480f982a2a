"""Power cuts on disks that drop, tear and reorder writes: gateway and desk in an emulated Debian, cut and played back.

    sudo .venv/bin/python -m tests.systemd.flakey [--cuts 50] [--states 300] [--root FOLDER] [--uv .tools/bin/uv]

Bootstraps a Debian, installs the project's wheel in it, boots it under qemu without KVM, and has flakey_inside.py cut
the power by dm-flakey. Then what dm-log-writes had recorded of another life is played back here: at random moments,
with some of the writes that were not flushed missing, torn, or there. Prints a table and, in the last line, JSON; ends
with 1 when anything that was promised is not there. `--root` keeps the Debian for the next time.
"""

import argparse
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tests.bench.table import Figure, at_least, at_most, present
from tests.broker import Heard
from tests.faults import card
from tests.faults.power_checks import look, promised, published
from tests.systemd import report_disk, virtual_machine
from tests.systemd.write_log import Entry, Playback, entries

SIZES_MB: Final = {"flakey": 512, "data": 512, "log": 4096, "report": 64}
LIFE_S: Final = 60.0


def main() -> int:
    """Do everything and show it."""
    parser = argparse.ArgumentParser(prog="python -m tests.systemd.flakey")
    parser.add_argument("--cuts", type=int, default=50, help="by dm-flakey")
    parser.add_argument("--states", type=int, default=300, help="played back from dm-log-writes")
    parser.add_argument("--root", type=Path, help="where the bootstrapped Debian is kept")
    parser.add_argument("--uv", default=".tools/bin/uv")
    parser.add_argument("--hours", type=float, default=2.0, help="longest time in the machine")
    options = parser.parse_args()
    if why := card.missing() or virtual_machine.missing():
        parser.error(why)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        root = options.root or folder / "root"
        if not (root / "usr").exists():
            virtual_machine.bootstrap(root)
        virtual_machine.install(root, str(Path(options.uv).absolute()))
        told = inside(root, folder, options.cuts, options.hours * 3600)
        states, wrong = played_back(folder, told, options.states)
    return show(told, states, wrong)


def inside(root: Path, folder: Path, cuts: int, timeout_s: float) -> dict[str, Any]:
    """Run the part in the machine; return its report."""
    system = folder / "system.img"
    virtual_machine.image(root, system, f"-m tests.systemd.flakey_inside {cuts} {LIFE_S}")
    disks = [system]
    for name, megabytes in SIZES_MB.items():
        disks.append(folder / f"{name}.img")
        report_disk.blank(disks[-1], megabytes)
    try:
        virtual_machine.boot(root, disks, folder / "console.log", timeout_s=timeout_s)
    except subprocess.TimeoutExpired:
        print(f"stopped after {timeout_s / 3600:.1f} hours: what came of it until then", file=sys.stderr)
    told: dict[str, Any] | None = report_disk.read(folder / "report.img")
    if told is None:
        raise RuntimeError((folder / "console.log").read_text(errors="replace")[-3000:])
    return told


def played_back(folder: Path, told: dict[str, Any], count: int) -> tuple[int, list[str]]:
    """Make so many disks of the recorded life as a cut may leave them, and look at each."""
    wrong: list[str] = []
    chance, seen = random.Random(1), 0
    heard = [Heard(topic, content.encode(), False, 0.0, {}) for topic, content in told["heard"]]
    everything = published(heard)
    with (folder / "log.img").open("rb") as log, card.card() as shelf:
        image = shelf.blank("played", SIZES_MB["data"])
        items = list(entries(log))
        playback = Playback(log, image, chance)
        moments = set(chance.sample(_promised(items), count))
        for number, entry in enumerate(items):
            playback.take(entry)
            if number not in moments:
                continue
            seen += 1
            copy = shelf.clone(image, "cut")
            playback.cut(copy)
            length, answered = told["marks"][int(playback.mark.removeprefix("m"))]
            answers = [(what, whom) for what, whom in told["answers"][:answered]]
            promise = promised(heard[:length], answers, everything)
            with shelf.after(copy) as there:
                wrong += [f"state {number} of {len(items)}: {each}" for each in look(there, promise).wrong]
        playback.close()
        image.unlink()
    return seen, wrong


def _promised(items: Sequence[Entry]) -> range:
    """Return the writes between the marks: what came after the last may have been killed before it was published."""
    marks = [number for number, each in enumerate(items) if each.mark]
    return range(marks[0], marks[-1])


def show(told: dict[str, Any], states: int, wrong: list[str]) -> int:
    """Print what came of it; return the exit code."""
    for line in [*told["wrong"], *wrong][:50]:
        print(line)
    found = {
        "flakey_cuts": told["cuts"], "flakey_wrong": len(told["wrong"]), "published": told["published"],
        "answered": told["answered"], "states": states, "states_wrong": len(wrong),
    }  # fmt: skip
    figures = [
        at_least("cuts by dm-flakey (drop_writes), each looked at", told["cuts"], 50),
        Figure("... alert events published and answers given before them, looked for",
               f"{told['published']:,}, {told['answered']:,}"),
        at_most("... what was not as promised", len(told["wrong"]), 0),
        Figure("disks played back from dm-log-writes: torn, reordered, half there", str(states)),
        at_most("... what was not as promised", len(wrong), 0),
    ]  # fmt: skip
    present("power cuts in an emulated Debian: gateway and desk on ext4", figures, found)
    return 1 if told["wrong"] or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
