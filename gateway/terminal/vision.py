"""`vision`: a line for everything that fell, one for what was not taken for a fall, a progress bar, a summary.

What fell goes to standard output; progress, warnings and the summary go to standard error. With --json each
fall is one object on a line of its own, and nothing else is ever written beside them.
"""

from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from gateway.terminal.figures import FAINT, GOOD, WARN, age
from gateway.terminal.words import Words

Box = tuple[int, float, float, float, float]  # frame, x, y, w, h


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was seen, in plain values: a fall, or, where `rejected` says why not, what was not taken for one.

    `floors` is the floor it left from and the range that may be; None where that is not known.
    """

    t_start: float
    t_end: float
    confidence: float
    track: tuple[Box, ...]
    floors: tuple[int, int, int] | None = None
    rejected: str = ""


@dataclass(frozen=True, slots=True)
class Total:
    """What a whole video came to: frames, seconds of it, seconds it took, falls.

    `damaged` pieces were left out; `length_s` is what the header says where the video ends long before.
    """

    frames: int
    seconds: float
    took_s: float
    falls: int
    damaged: int = 0
    length_s: float | None = None

    @property
    def speed(self) -> float:
        """Return how many times faster than the video's own time it went."""
        return self.seconds / self.took_s if self.took_s > 0 else 0.0


def line(seen: Sighting, words: Words) -> Text:
    """Return what was seen as one line: when, how sure, from which floor or why not, from where to where."""
    if seen.rejected:
        told = Text("· ", FAINT).append(f"{_span(seen)}  ")
        told.append(words("vision.no_fall", reason=reason(seen.rejected, words)), WARN)
        return told.append(
            f"  {words('vision.score', percent=f'{seen.confidence:.0%}')}  {_way(seen)}", FAINT
        )
    told = Text("▼ ", "bold red").append(f"{_span(seen)}  ", "bold")
    told.append(words("vision.sure", percent=f"{seen.confidence:.0%}") + "  ")
    told.append(_floor(seen.floors, words) + "  ", "" if seen.floors else FAINT)
    return told.append(_way(seen), FAINT)


def reason(word: str, words: Words) -> str:
    """Return why something is no fall, in words where there are any."""
    key = f"rejected.{word}"
    return words(key) if key in words else word


def plain(seen: Sighting) -> dict[str, Any]:
    """Return what was seen for --json. What a fall says is the contract with scripts."""
    times = {"t_start": round(seen.t_start, 3), "t_end": round(seen.t_end, 3)}
    track = [[frame, *(round(value, 1) for value in box)] for frame, *box in seen.track]
    if seen.rejected:
        return {"rejected": seen.rejected, **times, "score": round(seen.confidence, 4), "track": track}
    floor = seen.floors[0] if seen.floors else None
    return {**times, "confidence": round(seen.confidence, 4), "origin_floor": floor, "track": track}


def plain_total(total: Total) -> dict[str, Any]:
    """Return the summary for --json; it goes to standard error."""
    return {
        "frames": total.frames,
        "seconds": round(total.seconds, 3),
        "took_s": round(total.took_s, 3),
        "speed": round(total.speed, 2),
        "falls": total.falls,
        "damaged": total.damaged,
        "length_s": None if total.length_s is None else round(total.length_s, 3),
    }


def summary(total: Total, words: Words) -> list[Text]:
    """Return the last lines: what could not be watched; then frames, seconds, speed, falls."""
    lines = []
    seen = clock(total.seconds)
    if total.damaged:
        lines.append(Text(f"! {words('vision.damaged', n=total.damaged)}", WARN))
    if total.length_s is not None:
        lines.append(Text(f"! {words('vision.cut_short', seen=seen, said=clock(total.length_s))}", WARN))
    took, speed = age(total.took_s, words), f"{total.speed:.1f}"
    told = words("vision.watched", frames=total.frames, video=seen, took=took, speed=speed)
    found = words("vision.falls", n=total.falls) if total.falls else words("vision.nothing")
    return [*lines, Text(f"✓ {told}  ", GOOD).append(found, "bold" if total.falls else GOOD)]


def bar(console: Console, *, shown: bool) -> Progress:
    """Return a progress bar that goes when it is done, and shows only where somebody can look at it."""
    columns = (TextColumn("{task.description}"), BarColumn(30), TextColumn("{task.fields[note]}"))
    hidden = not (shown and console.is_terminal)
    return Progress(*columns, console=console, transient=True, disable=hidden, redirect_stdout=False)


def clock(seconds: float) -> str:
    """Return a time in the video: 0:02.36, 1:00:02.36."""
    whole, part = divmod(round(max(seconds, 0.0) * 100), 100)
    minutes, hours = whole // 60, whole // 3600
    return (f"{hours}:{minutes % 60:02d}" if hours else f"{minutes}") + f":{whole % 60:02d}.{part:02d}"


def _span(seen: Sighting) -> str:
    return f"{clock(seen.t_start)}–{clock(seen.t_end)}"


def _floor(floors: tuple[int, int, int] | None, words: Words) -> str:
    if floors is None:
        return words("vision.no_floor")
    floor, low, high = floors
    return words("vision.floor" if low == high else "vision.floors", floor=floor, low=low, high=high)


def _way(seen: Sighting) -> str:
    ends = (seen.track[0], seen.track[-1]) if seen.track else ()
    return " → ".join(f"({x + w / 2:.0f}, {y + h / 2:.0f})" for _, x, y, w, h in ends)
