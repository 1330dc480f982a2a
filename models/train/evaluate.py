"""`python -m models.train.evaluate`: what the watcher does on streets, weathers and cameras it was not trained on.

Clips with one fall each give recall, boxes, spans and floors; long streams of hard negatives, in which nothing falls,
give false alarms per camera-day, cause by cause; a classical baseline sees the same. Results stay in a folder, one
small file each, so that the hours may be gathered over several evenings. `--real` runs the watcher on real clips in
which nothing falls and counts what it says, `--with-falls` lays rendered falls over them and counts what it finds;
real clips are never trained on and choose no threshold.
"""

import argparse
import json
import os
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from models.train import card, composed, report, trials
from models.train.composed import run_composed
from models.train.real import run_real
from models.train.spread import spread
from models.train.trials import STRETCH_S, Clip, Stretch

HOME = Path(__file__).parents[1] / "falling-object"


def do_clip(number: int, *, seed: int, model: Path, folder: Path) -> int:
    """Run one clip and leave its result."""
    trials.write(trials.run_clip(seed, number, model), folder / f"clip-{number:05}.json")
    return number


def do_stretch(number: int, *, seed: int, model: Path, folder: Path) -> int:
    """Run one stretch of a negative stream and leave its result."""
    trials.write(trials.run_stretch(seed, number, model), folder / f"stretch-{number:05}.json")
    return number


def missing(folder: Path, kind: str, count: int) -> list[int]:
    """Return the numbers of the trials that have no result yet."""
    return [number for number in range(count) if not (folder / f"{kind}-{number:05}.json").exists()]


def results(folder: Path, clips: int, stretches: int) -> tuple[list[Clip], list[Stretch]]:
    """Return the results that are there, of so many clips and stretches."""
    ready = [folder / f"clip-{number:05}.json" for number in range(clips)]
    hours = [folder / f"stretch-{number:05}.json" for number in range(stretches)]
    return (
        list(trials.read((path for path in ready if path.exists()), Clip)),
        list(trials.read((path for path in hours if path.exists()), Stretch)),
    )


def evaluate(
    folder: Path, model: Path, *, clips: int, hours: float, seed: int, processes: int, console: Console
) -> None:
    """Run all trials that have no result yet, with progress; what was found is shown as it comes."""
    folder.mkdir(parents=True, exist_ok=True)
    stretches = round(hours * 3600 / STRETCH_S)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        for kind, count, work in (("clip", clips, do_clip), ("stretch", stretches, do_stretch)):
            todo = missing(folder, kind, count)
            bar = progress.add_task(kind, total=count, completed=count - len(todo))
            job = partial(work, seed=seed, model=model, folder=folder)
            for _ in spread(job, todo, processes):
                progress.update(bar, advance=1, description=_so_far(folder, kind, clips, stretches))


def _so_far(folder: Path, kind: str, clips: int, stretches: int) -> str:
    done, watched = results(folder, clips, stretches)
    if kind == "clip":
        return f"clips: recall {100 * report.recall(done, 'all').value:.1f} %"
    count, hours, _, _ = report.alarms_per_day(watched)
    return f"nothing falls: {count} false alarms in {hours:.1f} h"


def main() -> None:
    """Evaluate the model that is shipped, or another one."""
    options = _options()
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    console = Console(stderr=True)
    if options.real and options.with_falls:
        laid = run_composed(options.real, falls=options.with_falls, seed=options.seed, model=options.model,
                              processes=options.jobs, console=console, fps=options.fps)  # fmt: skip
        print(composed.tables(laid))
        print(json.dumps(composed.figures(laid)), flush=True)
        return
    if options.real:
        run_real(options.real, options.model, console)
        return
    folder = options.shard_dir
    evaluate(folder, options.model, clips=options.clips, hours=options.hours, seed=options.seed,
             processes=options.jobs, console=console)  # fmt: skip
    clips, stretches = results(folder, options.clips, round(options.hours * 3600 / STRETCH_S))
    tables = report.tables(clips, stretches)
    figures: dict[str, Any] = report.figures(clips, stretches)
    card.write(options.model / "CARD.md", tables, clips=len(clips), hours=figures["hours"])
    print(tables)
    print(json.dumps(figures), flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m models.train.evaluate", description=__doc__.split(":", 1)[1]
    )
    parser.add_argument("--clips", type=int, default=400, help="clips of 6 s with one fall each")
    parser.add_argument("--hours", type=float, default=72.0, help="camera-hours in which nothing falls")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", type=Path, default=HOME, help="model folder")
    parser.add_argument(
        "--shard-dir", type=Path, default=Path("build/evaluation"), help="where results are kept"
    )
    parser.add_argument(
        "--real", type=Path, nargs="+", metavar="FILE", help="real clips in which nothing falls"
    )
    parser.add_argument(
        "--with-falls",
        type=int,
        default=0,
        metavar="N",
        help="lay N falls over each real clip of a fixed camera",
    )
    parser.add_argument(
        "--fps",
        type=int,
        metavar="N",
        help="show real clips under falls at N pictures a second, not their own rate",
    )
    options = parser.parse_args()
    if options.with_falls and not options.real:
        parser.error("--with-falls wants real clips to lay falls over: --real FILE...")
    return options


if __name__ == "__main__":
    main()
