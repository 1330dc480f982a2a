"""Figures of an evaluation: the JSON line for machines, the tables of CARD.md for people. Pure."""

import math
from collections.abc import Callable, Iterable, Sequence

from models.train import scoring
from models.train.scoring import Share, Tally
from models.train.trials import Clip, Marks, Stretch

Watched = Callable[[Clip], Marks]

SIZES = (1.5, 2.5, 4.0, 7.0, 12.0)
CONTRASTS = (12.0, 20.0, 40.0)
TERMINALS = (5.0, 10.0, 20.0)
GROUPS: dict[str, Callable[[Clip], bool]] = {
    "clear": lambda clip: clip.size_px >= 4 and clip.contrast >= 20,
    "small": lambda clip: clip.size_px >= 2.5 and clip.contrast >= 12,
    "all": lambda clip: True,
    "shaking": lambda clip: clip.shaking,
}
"""Which clips a recall is over: size in px is the object's own, unblurred; contrast in grey levels of the picture."""


SETTLED_S = 120.0
"""How long a camera has watched until what it knows of its street is what it will know (`caution.MEMORY_S`)."""


def ours(clip: Clip) -> Marks:
    """Return how our watcher did."""
    return clip.ours


def classical(clip: Clip) -> Marks:
    """Return how the baseline did."""
    return clip.classical


def recall(clips: Iterable[Clip], group: str, of: Watched = ours) -> Share:
    """Return the share of falls found in a group of clips."""
    hits = [of(clip).hit for clip in clips if GROUPS[group](clip)]
    return Share(sum(hits), len(hits))


def boxes(clips: Iterable[Clip], of: Watched = ours, *, by_distance: bool = False) -> Tally:
    """Return the boxes of all clips, counted together."""
    each = (of(clip).near if by_distance else of(clip).boxes for clip in clips)
    return sum((Tally(*counts) for counts in each), Tally())


def mean(values: Iterable[float]) -> float:
    """Return the mean; 0 of nothing."""
    listed = list(values)
    return math.fsum(listed) / len(listed) if listed else 0.0


def alarms_per_day(
    stretches: Iterable[Stretch], *, baseline: bool = False, since_s: float = 0.0
) -> tuple[int, float, float, float]:
    """Return (false alarms, hours watched, false alarms a day, its upper bound), from `since_s` of each stretch on."""
    told = [(each.classical if baseline else each.ours, each.seconds) for each in stretches]
    watched = [(times, max(seconds - since_s, 0.0)) for times, seconds in told if times is not None]
    count = sum(scoring.merged(time for time in times if time >= since_s) for times, _ in watched)
    seconds = math.fsum(seconds for _, seconds in watched)
    return count, seconds / 3600, *scoring.per_day(count, seconds)


def floors(clips: Iterable[Clip]) -> Share:
    """Return the share of hits whose floor is told and at most one off."""
    off = [clip.ours.floor_off for clip in clips if clip.ours.hit]
    return Share(sum(value is not None and abs(value) <= 1 for value in off), len(off))


def figures(clips: Sequence[Clip], stretches: Sequence[Stretch]) -> dict[str, object]:
    """Return the figures that the last line of an evaluation carries."""
    hits = [clip.ours for clip in clips if clip.ours.hit]
    _, hours, day, _ = alarms_per_day(stretches)
    settled = alarms_per_day(stretches, since_s=SETTLED_S)[2]
    return {
        "recall": {group: round(recall(clips, group).value, 4) for group in GROUPS},
        "false_alarms_per_day": round(day, 3),
        "false_alarms_per_day_settled": round(settled, 3),
        "hours": round(hours, 2),
        "f_iou03": round(boxes(clips).f, 4),
        "tro": round(mean(clip.ours.tro for clip in clips), 4),
        "tro_benchmark": round(mean(clip.ours.tro_benchmark for clip in clips), 4),
        "floor_within_1": round(floors(clips).value, 4),
        "events_per_fall": round(mean(marks.pieces for marks in hits), 4),
        "classical": {
            "recall": round(recall(clips, "all", classical).value, 4),
            "false_alarms_per_day": round(alarms_per_day(stretches, baseline=True)[2], 2),
        },
    }


def tables(clips: Sequence[Clip], stretches: Sequence[Stretch]) -> str:
    """Return all tables as Markdown."""
    return "\n\n".join((_summary(clips, stretches), _conditions(clips), _causes(stretches)))


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def _share(share: Share) -> str:
    if not share.of:
        return "–"
    low, high = share.interval
    return f"{100 * share.value:.1f} % ({100 * low:.1f}–{100 * high:.1f}, n = {share.of})"


def _rate(stretches: Sequence[Stretch], *, baseline: bool = False, since_s: float = 0.0) -> str:
    count, hours, day, upper = alarms_per_day(stretches, baseline=baseline, since_s=since_s)
    return f"{day:.2f} (< {upper:.2f} at 95 %; {count} in {hours:.1f} h)" if hours else "–"


def _summary(clips: Sequence[Clip], stretches: Sequence[Stretch]) -> str:
    rows = [_row("figure", "this watcher", "background subtraction + tracker"), _row("---", "---", "---")]
    names = {
        "clear": "recall, ≥ 4 px and ≥ 20 grey levels",
        "small": "recall, ≥ 2.5 px and ≥ 12 grey levels",
        "all": "recall, everything visible (≥ 6 frames)",
        "shaking": "recall, shaking camera",
    }
    for group, name in names.items():
        rows.append(_row(name, _share(recall(clips, group)), _share(recall(clips, group, classical))))
    for name, since_s in (("", 0.0), (", from its third minute on", SETTLED_S)):
        rates = (_rate(stretches, baseline=baseline, since_s=since_s) for baseline in (False, True))
        rows.append(_row(f"false alarms per camera-day{name}", *rates))
    for name, figure in _measures():
        rows.append(_row(name, figure(clips, ours), figure(clips, classical)))
    rows.append(_row("origin floor within 1", _share(floors(clips)), "–"))
    told = [c.ours.range_right for c in clips if c.ours.hit and c.ours.range_right is not None]
    rows.append(_row("origin floor within its stated range", _share(Share(sum(told), len(told))), "–"))
    return "\n".join(rows)


def _measures() -> list[tuple[str, Callable[[Sequence[Clip], Watched], str]]]:
    def pieces(clips: Sequence[Clip], of: Watched) -> str:
        return f"{mean(of(clip).pieces for clip in clips if of(clip).hit):.3f}"

    def late(clips: Sequence[Clip], of: Watched) -> str:
        waits = [wait for clip in clips if (wait := of(clip).late_s) is not None]
        return (
            f"{scoring.percentile(waits, 0.5):.2f} s, {scoring.percentile(waits, 0.95):.2f} s"
            if waits
            else "–"
        )

    return [
        ("boxes, IoU ≥ 0.3: F (precision, recall)", lambda clips, of: _tally(boxes(clips, of))),
        ("boxes by distance of centres: F", lambda clips, of: _tally(boxes(clips, of, by_distance=True))),
        ("TRO", lambda clips, of: f"{mean(of(clip).tro for clip in clips):.3f}"),
        ("TRO as the benchmark's code has it", lambda clips, of: f"{mean(of(c).tro_benchmark for c in clips):.3f}"),
        ("false boxes per clip", lambda clips, of: f"{boxes(clips, of).false / max(len(clips), 1):.2f}"),
        ("alarms of nothing, in clips with a fall",
         lambda clips, of: str(sum(scoring.merged(of(clip).strays) for clip in clips))),
        ("events per fall that was found", pieces),
        ("alarm after the last visible frame: median, 95 %", late),
    ]  # fmt: skip


def _tally(counts: Tally) -> str:
    return f"{counts.f:.3f} ({counts.precision:.3f}, {counts.recall:.3f})"


def _band(value: float, edges: Sequence[float], unit: str) -> str:
    above = sum(value >= edge for edge in edges)
    if above == 0:
        return f"< {edges[0]:g} {unit}"
    return (
        f"≥ {edges[-1]:g} {unit}" if above == len(edges) else f"{edges[above - 1]:g}–{edges[above]:g} {unit}"
    )


def belongs(clip: Clip) -> dict[str, str]:
    """Return the stratum a clip belongs to, of every kind."""
    return {
        "size": _band(clip.size_px, SIZES, "px"),
        "contrast": _band(clip.contrast, CONTRASTS, "grey levels"),
        "terminal velocity": _band(clip.terminal_mps, TERMINALS, "m/s"),
        "bit rate": f"{clip.bitrate_mbps:g} Mb/s",
        "camera": "shaking" if clip.shaking else "steady",
        "mirror image": "yes" if clip.twin else "no",
        "something else going on": clip.causes[0] if clip.causes else "no",
        "thing": clip.kind,
    }


def _conditions(clips: Sequence[Clip]) -> str:
    mine = scoring.strata((belongs(clip), clip.ours.hit) for clip in clips)
    theirs = scoring.strata((belongs(clip), clip.classical.hit) for clip in clips)
    rows = [_row("condition", "", "recall", "classical"), _row("---", "---", "---", "---")]
    for kind, names in mine.items():
        for name in sorted(names, key=_order):
            rows.append(_row(kind, name, _share(names[name]), f"{100 * theirs[kind][name].value:.0f} %"))
    return "\n".join(rows)


def _order(name: str) -> tuple[float, str]:
    """Sort bands by their lower edge, words by letters."""
    number = name.lstrip("<≥ ").split("–")[0].split(" ")[0]
    try:
        return float(number) - name.startswith("<"), name
    except ValueError:
        return math.inf, name


def _causes(stretches: Sequence[Stretch]) -> str:
    rows = [
        _row("cause", "hours", "false alarms", "a day", "classical, a day"),
        _row("---", "---", "---", "---", "---"),
    ]
    for cause in sorted({cause for each in stretches for cause in each.causes}):
        mine = [each for each in stretches if cause in each.causes]
        count, hours, day, upper = alarms_per_day(mine)
        theirs = alarms_per_day(mine, baseline=True)
        other = f"{theirs[2]:.1f}" if theirs[1] else "–"
        rows.append(_row(cause, f"{hours:.1f}", str(count), f"{day:.2f} (< {upper:.1f})", other))
    return "\n".join(rows)
