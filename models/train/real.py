"""Real clips in which nothing falls: how often does the watcher, and the baseline, say that something did?"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import numpy as np
from rich.console import Console
from rich.table import Table

from gateway.vision.adapting import AdaptedWatcher
from gateway.vision.classifier import Classifier
from gateway.vision.luma import luma_of
from gateway.vision.sight import Frame
from models.train import scoring
from models.train.baseline import Classical
from models.train.trials import watch


def frames(path: Path, *, spread: bool = False) -> Iterator[Frame]:
    """Yield the frames of a video file; its own times, made to rise where the file has them wrong.

    The luma is as it was coded, as the gateway has it; with `spread` 0 is black and 255 white in any file.
    """
    with av.open(str(path), metadata_errors="replace") as container:
        stream = container.streams.video[0]
        rate = float(stream.average_rate or 25)
        last = -1.0 / rate
        for index, frame in enumerate(container.decode(stream)):
            told = frame.time if frame.time is not None else last + 1 / rate
            last = max(told, last + 0.2 / rate)
            luma = frame.to_ndarray(format="gray") if spread else luma_of(frame)
            yield Frame(index, last, np.array(luma, np.uint8))


def run_real(paths: Sequence[Path], model: Path, console: Console) -> None:
    """Print a line per clip and one for all: minutes, alarms of ours, alarms of the baseline."""
    table = Table(
        "clip", "minutes", "size", "alarms", "classical alarms", title="real clips in which nothing falls"
    )
    judge = Classifier.load(model)
    total = [0.0, 0.0, 0.0]
    for path in paths:
        ours, other = AdaptedWatcher(judge, threshold=judge.card.threshold), Classical()
        seen: list[Frame] = []

        def kept(path: Path = path, seen: list[Frame] = seen) -> Iterator[Frame]:
            for frame in frames(path):
                seen[:] = [frame]
                yield frame

        alarms = watch(kept(), (ours, other))
        if not seen:
            console.print(f"{path}: no picture in it")
            continue
        minutes = seen[0].time_s / 60
        counts = [scoring.merged(alarm.t_start for alarm in each) for each in alarms]
        height, width = seen[0].luma.shape
        table.add_row(path.name, f"{minutes:.2f}", f"{width}x{height}", str(counts[0]), str(counts[1]))
        for each in alarms[0]:
            console.print(f"{path.name}: {each.t_start:.2f}–{each.t_end:.2f} s, {each.confidence:.2f}")
        total = [total[0] + minutes, total[1] + counts[0], total[2] + counts[1]]
    table.add_row("all", f"{total[0]:.2f}", "", f"{total[1]:.0f}", f"{total[2]:.0f}")
    console.print(table)
