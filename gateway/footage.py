"""The command that looks at a video: `vision`. Puts together frames, watcher, and what people see of them.

The film is watched once; only where it is to be drawn on, it is read a second time, in colour.
"""

import contextlib
import errno
import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import click
from rich.console import Console
from rich.progress import Progress

from gateway import cameras
from gateway.core.config import CameraTable
from gateway.terminal import vision as view
from gateway.terminal.errors import ToolError
from gateway.terminal.figures import console
from gateway.terminal.help import DONE, INTERRUPTED
from gateway.terminal.words import Words
from gateway.vision import annotate
from gateway.vision.adapting import AdaptedWatcher
from gateway.vision.address import parse
from gateway.vision.classifier import Classifier, ModelError
from gateway.vision.film import Film, Step
from gateway.vision.frames import Source, SourceError, open_source
from gateway.vision.merging import PATIENCE_S
from gateway.vision.sight import Fall, NearMiss, Outlook, Polygon

MISSING = 0.1  # of a film's length: that much less than its header says is worth a word
PICTURE = re.compile(r"^image2|_pipe$|^ico$")  # FFmpeg's names of formats that hold pictures
NUMBER = r"-?\d+(?:\.\d+)?"


@dataclass(frozen=True, slots=True)
class View:
    """Where the outlook comes from: options as typed, and a camera of a configuration that they stand over."""

    config: Path | None = None
    camera: str | None = None
    floors: str | None = None
    watch: str | None = None
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Output:
    """What is to be shown and written."""

    as_json: bool = False
    explain: bool = False
    annotate: Path | None = None
    stills: Path | None = None


def vision(source: str, words: Words, where: View, output: Output) -> int:
    """Watch a video, show what fell as soon as it is decided, and return the exit code."""
    outlook = outlook_of(where, words)
    source = _path_of(source)
    _check_output(source, output, words)
    show, film = _Show(words, output), Film()
    try:
        judge = Classifier.default()
        explain = film.explain if output.explain else None
        live = "://" in source or source.startswith("/dev/")
        watcher = AdaptedWatcher(
            judge, threshold=judge.card.threshold, outlook=outlook, explain=explain,
            patience_s=0.0 if live else PATIENCE_S,
        )  # fmt: skip
        with open_source(source, threads=1 if live else 0) as frames:
            _must_be_film(frames)
            whole = show.all(film.watch(frames, watcher), frames, rest=watcher.finish)
    except SourceError as error:
        reason = "folder" if _is_folder(source) else error.reason
        raise ToolError(f"video.{reason}", where=error.where) from error
    except ModelError as error:
        raise ToolError("vision.model", where=error.where, found=error.found, hint=error.hint) from error
    if whole and (output.annotate or output.stills):
        show.draw(Path(source))
    return DONE if whole else INTERRUPTED


class _Show:
    """Shows events as they come, and how far it is, each where it belongs."""

    def __init__(self, words: Words, output: Output) -> None:
        self.falls: list[Fall] = []
        self._words, self._output = words, output
        self._aside = Console(stderr=True, highlight=False)
        self._out = console()
        self._last = Step(0, 0.0, 0.0)

    def all(
        self, events: Iterator[Fall | NearMiss | Step], source: Source, *, rest: Callable[[], list[Fall]]
    ) -> bool:
        """Show all events and what they come to; return False when Ctrl-C ended it, after the `rest` then known."""
        whole = False
        with contextlib.suppress(KeyboardInterrupt):
            try:
                with self._bar("vision.watching", source.duration_s) as progress:
                    try:
                        for event in events:
                            self._one(event, progress)
                        whole = True
                    except KeyboardInterrupt:
                        for fall in rest():
                            self._one(fall, progress)
            finally:
                self._total(source, whole=whole)
        return whole

    def _one(self, event: Fall | NearMiss | Step, progress: Progress) -> None:
        match event:
            case Step():
                self._last = event
                speed = f"{event.speed:.1f}"
                note = self._words("vision.speed", clock=view.clock(event.stream_s), speed=speed)
                progress.update(progress.task_ids[0], completed=event.stream_s, note=note)
            case Fall():
                self.falls.append(event)
                self._say(sighting(event), progress)
            case NearMiss():
                self._say(sighting(event), progress)

    def _total(self, source: Source, *, whole: bool) -> None:
        """Say what it came to, and what of the file could not be watched."""
        last = self._last
        if not last.frames:
            if whole:
                raise SourceError("no_video", source.where, "no picture that can be decoded")
            return
        length_s = source.duration_s if whole and not source.restarts else None
        missing_s = 0.0 if length_s is None else length_s - last.stream_s
        total = view.Total(
            last.frames,
            last.stream_s,
            last.took_s,
            len(self.falls),
            damaged=source.statistics.corrupt,
            length_s=length_s if missing_s > max(1.0, MISSING * (length_s or 0.0)) else None,
        )
        if self._output.as_json:
            click.echo(json.dumps(view.plain_total(total)), err=True)
        else:
            for line in view.summary(total, self._words):
                self._aside.print(line, soft_wrap=True)

    def draw(self, path: Path) -> None:
        """Write the film and the stills, and say which."""
        film, stills = self._output.annotate, self._output.stills
        try:
            with _tidy_end(), self._bar("vision.drawing", self._last.stream_s) as progress:
                task = progress.task_ids[0]
                written = annotate.annotate(
                    annotate.shots(path),
                    self.falls,
                    film=film,
                    stills=stills,
                    progress=lambda shot: progress.update(task, completed=shot.time_s),
                )
        except OSError as error:
            reason = error.strerror or error
            raise ToolError("vision.unwritable", path=film or stills, reason=reason) from error
        if not self._output.as_json:
            for each in written:
                self._aside.print(self._words("vision.wrote", path=each), soft_wrap=True, markup=False)

    def _say(self, seen: view.Sighting, progress: Progress) -> None:
        """Print what was seen; a line beside a bar in the same terminal goes through the bar's console."""
        if self._output.as_json:
            click.echo(json.dumps(view.plain(seen)), err=bool(seen.rejected))
            return
        beside = self._out.is_terminal and not progress.disable
        (progress.console if beside else self._out).print(view.line(seen, self._words), soft_wrap=True)
        self._out.file.flush()

    @contextlib.contextmanager
    def _bar(self, what: str, length_s: float | None) -> Iterator[Progress]:
        with view.bar(self._aside, shown=not self._output.as_json) as progress:
            progress.add_task(self._words(what), total=length_s, note="")
            yield progress


@contextlib.contextmanager
def _tidy_end() -> Iterator[None]:
    """Let SIGTERM, and SIGHUP of a terminal that was closed, end it as Ctrl-C does: after what is to be cleared away.

    Who has them ignored (`nohup`) has reason to.
    """

    def end(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    taken = [each for each in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(each) is signal.SIG_DFL]
    for each in taken:
        signal.signal(each, end)
    try:
        yield
    finally:
        for each in taken:
            signal.signal(each, signal.SIG_DFL)


def _must_be_film(source: Source) -> None:
    """A single picture is a film of one frame to FFmpeg, and never what was meant."""
    if PICTURE.search(source.stream.container.format.name):
        raise ToolError("video.picture", where=source.where)


def sighting(seen: Fall | NearMiss) -> view.Sighting:
    """Return what was seen in the plain values people and scripts are shown."""
    track = tuple(
        (spot.frame, float(spot.x), float(spot.y), float(spot.w), float(spot.h)) for spot in seen.track
    )
    if isinstance(seen, NearMiss):
        return view.Sighting(seen.t_start, seen.t_end, float(seen.score), track, rejected=seen.reason)
    origin = (seen.origin.floor, seen.origin.low, seen.origin.high) if seen.origin else None
    return view.Sighting(seen.t_start, seen.t_end, float(seen.confidence), track, origin)


def outlook_of(where: View, words: Words) -> Outlook:
    """Return the outlook of the camera named, with what the options say in its place; UsageError for a slip.

    The options are px of the film, and where there are any so is what the configuration says.
    """
    camera = cameras.named(where.camera, where.config) if where.camera else CameraTable(name="-", url="-")
    watch = _polygon(where.watch, words) if where.watch else tuple(camera.watch)
    ignore = tuple(_polygon(each, words) for each in where.ignore) or tuple(tuple(p) for p in camera.ignore)
    floors = tuple((each["y"], each["floor"]) for each in camera.floors if {"y", "floor"} <= each.keys())
    marked_in = None if where.watch or where.ignore or where.floors else camera.marked_in
    return Outlook(watch, ignore, _floors(where.floors, words) if where.floors else floors, marked_in)


def _floors(told: str, words: Words) -> tuple[tuple[float, float], ...]:
    parts = [re.fullmatch(rf"({NUMBER}):(-?\d+)", part.strip()) for part in told.split(",")]
    floors = tuple((float(part[1]), float(part[2])) for part in parts if part)
    if (
        len(floors) != len(parts)
        or len({y for y, _ in floors}) < 2
        or len({floor for _, floor in floors}) < 2
    ):
        raise click.UsageError(words("usage.floors", told=told), click.get_current_context())
    return floors


def _polygon(told: str, words: Words) -> Polygon:
    parts = [re.fullmatch(rf"({NUMBER}),({NUMBER})", part) for part in told.split()]
    points = tuple((float(part[1]), float(part[2])) for part in parts if part)
    if len(points) != len(parts) or len(set(points)) < 3:
        raise click.UsageError(words("usage.polygon", told=told), click.get_current_context())
    return points


def _check_output(source: str, output: Output, words: Words) -> None:
    """Say at once, not after an hour, that something cannot be written."""
    film, stills = output.annotate, output.stills
    if (film or stills) and ("://" in source or _comes_once(Path(source))):
        raise click.UsageError(words("usage.live"), click.get_current_context())
    if film and (film.suffix.lower() != ".mp4" or _same(film, Path(source))):
        raise click.UsageError(words("usage.annotate", told=film), click.get_current_context())
    if film:
        _must_be_writable(film.parent, film)
        if film.is_dir():
            raise ToolError("vision.unwritable", path=film, reason=os.strerror(errno.EISDIR))
    if stills:
        with contextlib.suppress(OSError):
            stills.mkdir(parents=True, exist_ok=True)
        _must_be_writable(stills, stills)


def _comes_once(path: Path) -> bool:
    """Return whether there is a pipe or a device in the place of a file."""
    with contextlib.suppress(OSError):
        return path.exists() and not (path.is_file() or path.is_dir())
    return False


def _must_be_writable(folder: Path, path: Path) -> None:
    if not os.access(folder, os.W_OK | os.X_OK) or not folder.is_dir():
        number = errno.EACCES if folder.is_dir() else errno.ENOTDIR if folder.exists() else errno.ENOENT
        raise ToolError("vision.unwritable", path=path, reason=os.strerror(number))


def _path_of(source: str) -> str:
    """Return the path that a file:// address names; any other source as it is."""
    return parse(source).bare if source.lower().startswith("file://") else source


def _is_folder(source: str) -> bool:
    with contextlib.suppress(OSError):
        return Path(source).is_dir()
    return False


def _same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)
