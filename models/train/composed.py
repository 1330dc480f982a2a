"""Falls over real pictures: rendered things fall before what a fixed camera really saw, and go through a codec again.

    python -m models.train.evaluate --real FILE... --with-falls N

What moves, trembles, is noisy or badly compressed is real here; what falls, its light and the camera's geometry are
not. A house is made up behind the picture, with floors and windows, as an installer would have clicked it; its
facade polygon is not told, for nothing in the picture fits it. Every clip has one fall, so it is counted as the
clips of the test split are. Light is guessed: the picture through a drawn tone curve, and what falls is lit as
brightly as its surroundings suggest. A measurement only: nothing here is trained on and chooses a threshold.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from zlib import crc32

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track as progress

from gateway.vision.classifier import Classifier
from gateway.vision.merging import PATIENCE_S
from gateway.vision.sight import Frame, Luma, Spot
from gateway.vision.watcher import Watcher
from models.train import report
from models.train.baseline import Classical
from models.train.footage import Footage, FootageError, footage
from models.train.losses import PARTS, Loss, Notes, loss_of
from models.train.render import facade, views
from models.train.render.camera import Seen
from models.train.render.casting import falls
from models.train.render.codec import through
from models.train.render.lens import Look, coding, look
from models.train.render.overlay import Overlay
from models.train.render.parts import Plane, View
from models.train.render.scene import FLOORS, Scene, outlook
from models.train.render.settings import Settings, Truth
from models.train.render.stream import truth_of
from models.train.render.styles import style_of
from models.train.scoring import merged
from models.train.spread import spread
from models.train.trials import BITRATES, VISIBLE_FRAMES, Clip, marks, watch

SECONDS = 8.0
AT_ONCE = 10  # clips of one file that a process runs before it reads another
REFLECTANCE = 0.3  # what a scene reflects on the whole: so its light says how brightly it is lit
LIT_OVER = 0.08  # of the picture's height: surroundings that are lit alike
DIMMEST, BRIGHTEST = 0.01, 2.5
FULL = (1920, 1080)  # the picture that the bit rates are meant for; a smaller one gets its part


@dataclass(frozen=True, slots=True)
class Trial:
    """One clip and what was made of it; `loss` says why its fall was not found, None where it was."""

    footage: str
    clip: Clip
    loss: Loss | None


class ComposedStream:
    """Some seconds of footage with one fall laid over it; frames and truths as a `Stream` has them."""

    def __init__(self, real: Footage, settings: Settings) -> None:
        dice, self._dice = settings.dice().spawn(2)
        self.settings, self._real = settings, real
        mine, around = dice.spawn(2)
        # Footage in which people draw no trails comes through no plain noise filter, and has its own rhythm.
        self._look = replace(look(dice, settings, 0.0), plain=False, dropped=0.0, doubled=0.0, stutter=0)
        style = style_of(mine, settings.split)
        floors = int(mine.integers(FLOORS[0], FLOORS[1] + 1))
        front = facade.house(mine, style, floors=floors, left=-mine.uniform(6, 32), right=mine.uniform(6, 32))
        self._path = _path(around, len(real.pictures), round(settings.seconds * settings.fps))
        self._scene = _scene(
            real.pictures[self._path[0]], views.choose(mine, settings, front), front, self._look
        )
        self.outlook = self._scene.outlook
        self._coding = coding(dice, replace(settings, width=FULL[0], height=FULL[1]), self._scene.view)
        self._cast = falls(dice.spawn(1)[0], settings, self._scene, self._look)[:1]
        self._seen: list[tuple[Spot, Seen, float]] = []

    @property
    def truths(self) -> list[Truth]:
        """Return the fall, as far as it has been in the frames that are out."""
        return [truth_of(self._cast[0], self._seen)] if self._seen else []

    def frames(self) -> Iterator[Frame]:
        """Yield the frames as a gateway would decode them."""
        yield from through(self._coding, self.settings.fps, self._pictures())

    def _pictures(self) -> Iterator[tuple[float, Luma]]:
        rng = self._dice.spawn(1)[0]
        overlay = Overlay(rng, self._look, self._scene.incident, noise=self._real.noise)
        for number, at in enumerate(self._path):
            time_s = number / self.settings.fps
            closes_s = time_s + self._look.exposure_s
            things = [role.thing for role in self._cast]
            patches = [patch for thing in things for patch in thing.patches(time_s, closes_s)]
            picture, shown = overlay.lay(self._real.pictures[at], patches)
            for seen in filter(None, shown):
                spot = Spot(number, time_s, *seen.box)
                self._seen.append((spot, seen, things[0].width_px(time_s)))
            yield time_s, picture


def settings_of(real: Footage, seed: int, number: int) -> Settings:
    """Return the settings of a clip: the footage's size and rate, another bit rate each time."""
    rng = np.random.default_rng([seed, 4, crc32(real.name.encode()), number])
    height, width = real.pictures[0].shape
    return Settings(
        seed=int(rng.integers(2**31)), split="test", width=width, height=height, fps=real.fps,
        seconds=SECONDS, bitrate_mbps=BITRATES[number % len(BITRATES)], shaking=False,
    )  # fmt: skip


def run_trial(real: Footage, seed: int, number: int, model: Path) -> Trial | None:
    """Run both watchers over one clip; None when its fall is hardly in the picture."""
    settings = settings_of(real, seed, number)
    stream = ComposedStream(real, settings)
    judge, notes = Classifier.load(model), Notes()
    ours = Watcher(
        judge, threshold=judge.card.threshold, outlook=replace(stream.outlook, watch=()),
        explain=notes.misses.append, collect=notes.tubelets.append, patience_s=PATIENCE_S,
    )  # fmt: skip
    alarms, others = watch(stream.frames(), (ours, Classical(replace(stream.outlook, watch=()))))
    if not stream.truths or len(stream.truths[0].spots) < VISIBLE_FRAMES:
        return None
    truth = stream.truths[0]
    last = round(settings.seconds * settings.fps) - 1
    clip = Clip(
        number=number, visible=len(truth.spots), size_px=float(truth.size_px), contrast=float(truth.contrast),
        terminal_mps=truth.terminal_mps, bitrate_mbps=settings.bitrate_mbps, shaking=False, kind=truth.kind,
        causes=(real.name,), twin=False, seconds=settings.seconds, facts={"fps": float(settings.fps)},
        ours=marks(alarms, truth, (), last), classical=marks(others, truth, (), last),
    )  # fmt: skip
    if clip.ours.hit:
        return Trial(real.name, clip, None)
    again = ComposedStream(real, settings)
    return Trial(real.name, clip, loss_of(truth, alarms, notes, again.frames()))


def run_trials(
    job: tuple[Path, Sequence[int]], *, seed: int, model: Path, fps: int | None = None
) -> list[Trial] | str:
    """Run some clips of one file, in a process of its own; a word of why where its camera moves or it is short."""
    cv2.setNumThreads(1)
    path, numbers = job
    try:
        real = footage(path, fps=fps)
    except FootageError as error:
        return str(error)
    trials = (run_trial(real, seed, number, model) for number in numbers)
    return [trial for trial in trials if trial is not None]


def run_composed(
    paths: Sequence[Path],
    *,
    falls: int,
    seed: int,
    model: Path,
    processes: int,
    console: Console,
    fps: int | None = None,
) -> list[Trial]:
    """Lay so many falls over each clip and return what was made of them; tells of clips that are no good for it."""
    todo = [
        (path, range(start, min(start + AT_ONCE, falls)))
        for start in range(0, falls, AT_ONCE)
        for path in paths
    ]
    trials: list[Trial] = []
    refused: set[str] = set()
    work = partial(run_trials, seed=seed, model=model, fps=fps)
    for told in progress(spread(work, todo, processes), "falls", total=len(todo), console=console):
        if isinstance(told, str):
            refused.add(told)
        else:
            trials += told
    for why in sorted(refused):
        console.print(f"left out: {why}")
    return sorted(trials, key=lambda trial: (trial.footage, trial.clip.number))


def figures(trials: Sequence[Trial]) -> dict[str, object]:
    """Return the figures of the last line: those of the test split as far as they make sense here, and the losses."""
    clips = [trial.clip for trial in trials]
    told = report.figures(clips, ())
    kept = ("recall", "f_iou03", "tro", "tro_benchmark", "events_per_fall")
    return {
        "falls": len(clips),
        **{name: told[name] for name in kept},
        "recall_95": [round(edge, 4) for edge in report.recall(clips, "all").interval],
        "classical_recall": round(report.recall(clips, "all", report.classical).value, 4),
        "false_alarms": sum(merged(clip.ours.strays) for clip in clips),
        "minutes": round(sum(clip.seconds for clip in clips) / 60, 2),
        "lost": {part: sum(t.loss is not None and t.loss.part == part for t in trials) for part in PARTS},
    }


def tables(trials: Sequence[Trial]) -> str:
    """Return the tables of an evaluation, and the map of what was lost where."""
    rows = ["| lost, because | falls | of them ≥ 4 px and ≥ 20 grey levels |", "| --- | --- | --- |"]
    clear = report.GROUPS["clear"]
    for part, because in PARTS.items():
        mine = [trial for trial in trials if trial.loss is not None and trial.loss.part == part]
        rows.append(f"| {because} | {len(mine)} | {sum(clear(trial.clip) for trial in mine)} |")
    return report.tables([trial.clip for trial in trials], ()) + "\n\n" + "\n".join(rows)


def _path(rng: np.random.Generator, there: int, wanted: int) -> list[int]:
    """Return which pictures to show: a piece of the footage, or all of it to and fro where it is too short."""
    if there >= wanted:
        start = int(rng.integers(there - wanted + 1))
        return list(range(start, start + wanted))
    turn = [*range(there), *range(there - 2, 0, -1)]
    start = int(rng.integers(len(turn)))
    return [turn[(start + number) % len(turn)] for number in range(wanted)]


def _scene(picture: Luma, view: View, front: facade.House, lens: Look) -> Scene:
    """Return the picture as a scene to fall before: light by the tone curve, and no glass that mirrors."""
    light: Plane = lens.tone.lights()[picture]
    around = cv2.GaussianBlur(light, (0, 0), LIT_OVER * view.height)
    incident = np.clip(around / REFLECTANCE, DIMMEST, BRIGHTEST).astype(np.float32)
    return Scene(
        view=view, house=front, light=light, glass=np.zeros_like(light), free=np.ones_like(light),
        incident=incident, darkness=0.0, sunny=False, outlook=outlook(view, front),
    )  # fmt: skip
