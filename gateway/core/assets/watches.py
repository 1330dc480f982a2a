"""Formulas that watch over people: for how long nothing has moved at home, or somebody is out of bed at night.

Only time in which everything could be seen counts: while a sensor is silent the count stands still, and after a long
pause it begins anew, because nobody knows what was in between. So no silence ever becomes an alert, and a sensor that
is silent now and then does not keep one away. What has passed its limit stays so until the person is seen: neither a
pause nor a restart (looking.py), nor the morning, is somebody who moves.
"""

from typing import Final

from drivers.api import Quality
from gateway.core.assets.looking import MINUTE_S, Sources, Watch
from gateway.core.assets.seen import Seen, is_true, worst
from gateway.core.assets.windows import number


class Changed:
    """Whether one of a group says something else than before: a door that moves, a tap that is turned, a press.

    True on the reading that does, false again on the next. A count that is less than before began anew, which is nobody
    who moves.
    """

    def __init__(self, sources: int) -> None:
        self._before: list[Seen | None] = [None] * sources

    def take(self, sources: Sources, wall: float) -> Seen | None:
        """Return whether one of them has just changed; not good while one of them is not."""
        del wall
        for place, (before, now) in enumerate(zip(self._before, sources, strict=True)):
            if now is None or not now.good:
                continue
            self._before[place] = now
            if before is not None and _has_moved(before, now):
                return Seen(True, Quality.GOOD, now.at, now.oldest)
        heard = [each for each in sources if each is not None]
        if not heard:
            return None
        quality, oldest = worst(sources), min(each.oldest for each in heard)
        value = False if quality is Quality.GOOD else None
        return Seen(value, quality, max(each.at for each in heard), oldest)


class Quiet(Watch):
    """For how many minutes nothing has moved; 0 while somebody is away. Of [moved, away] or [moved, away, night].

    Told the night, its time does not count; nor does time of which nobody knows whether it is night. `past_min` is
    when it is told. `memory` is in quarters of an hour.
    """

    KEPT_S: Final = 900.0

    def __init__(self, past_min: float, gap_s: float) -> None:
        super().__init__(past_min, gap_s)
        self._quiet_s = 0.0

    def take(self, sources: Sources, wall: float) -> Seen | None:
        """Return the minutes; None while it is not known whether to go on with what was counted before."""
        del wall
        moved, away, *night = sources
        if moved is None:
            return None
        if is_true(away) or is_true(moved):
            self._before_s = None
            self._quiet_s = 0.0
            self._look(moved.at)
        elif not moved.good:
            self._looked.lost()
            return Seen(self._last.value, moved.quality, moved.at, moved.oldest)
        else:
            self._count(moved, rests=any(each is None or not each.good or number(each) for each in night))
        if self._before_s is not None:
            return None
        self._keep()
        self._last = Seen(round(self._quiet_s / MINUTE_S, 1), Quality.GOOD, moved.at, moved.oldest)
        return self._last

    def _count(self, moved: Seen, *, rests: bool) -> None:
        seen_s = self._look(moved.oldest)
        if seen_s is None and not self._is_past:
            self._quiet_s = 0.0
        elif seen_s is not None and not rests:
            self._quiet_s += seen_s

    def _keep(self) -> None:
        if not self._is_past:
            self.memory = self._quiet_s // self.KEPT_S * self.KEPT_S or None
        elif self.memory is None or self.memory / MINUTE_S <= self._past_min:
            self.memory = round(self._quiet_s, 1)

    def _go_on(self, seconds: float) -> None:
        self._quiet_s += seconds

    @property
    def _is_past(self) -> bool:
        return round(self._quiet_s / MINUTE_S, 1) > self._past_min


class Left(Watch):
    """For how many minutes somebody has been out of bed who left it at night; 0 while not. Of [bed, night].

    Of the bed 1 is in it, 0 is out of it; anything else says neither, and what was stays so. In bed is who has been
    so for `back_s`, thus a hand that smooths the sheet ends nothing. Who leaves while nobody knows whether it is night
    is judged when that is known. The morning ends it where it is not past `past_min`. `memory` is in minutes, and 0
    for somebody in bed at night.
    """

    KEPT_S: Final = 60.0

    def __init__(self, past_min: float, back_s: float, gap_s: float) -> None:
        super().__init__(past_min, gap_s)
        self._back_s = back_s
        self._in_bed = False
        self._lying_s: float | None = None  # for how long somebody lies there now
        self._out_s: float | None = None
        self._sure = True  # that it was night when they left

    def take(self, sources: Sources, wall: float) -> Seen | None:
        """Return the minutes; None while it is not known what was before."""
        del wall
        bed, night = sources
        if bed is None:
            return None
        if not bed.good:
            self._looked.lost()
            return Seen(self._last.value, bed.quality, bed.at, bed.oldest)
        seen_s = self._look(bed.oldest)
        if seen_s is None:
            self._forget()
        place = number(bed)
        if place == 1:
            self._lie(seen_s or 0.0)
        else:
            self._lying_s = None
            self._stand(seen_s or 0.0, left=place == 0)
        if self._before_s is not None:
            return None
        self._judge(None if night is None or not night.good else bool(night.value))
        minutes = round((self._out_s or 0.0) / MINUTE_S, 1) if self._sure else 0.0
        self._last = Seen(minutes, Quality.GOOD, bed.at, bed.oldest)
        return self._last

    def _go_on(self, seconds: float) -> None:
        if not self._in_bed:  # by now they may be seen to be
            self._in_bed, self._out_s, self._sure = not seconds, seconds or None, True

    def _lie(self, seen_s: float) -> None:
        self._lying_s = 0.0 if self._lying_s is None else self._lying_s + seen_s
        if self._lying_s >= self._back_s:
            self._in_bed, self._out_s, self._before_s, self._sure = True, None, None, True

    def _stand(self, seen_s: float, *, left: bool) -> None:
        if self._before_s is not None:
            return
        if self._out_s is not None:
            self._out_s += seen_s
        elif self._in_bed and left:
            self._out_s, self._sure = 0.0, False
        self._in_bed = self._in_bed and not left

    def _judge(self, night: bool | None) -> None:
        if self._out_s is not None and night is not None:
            if not night and not self._is_past:
                self._out_s = None
            self._sure = True
        if self._out_s is not None and self._sure:
            if not self._is_past:
                self.memory = self._out_s // self.KEPT_S * self.KEPT_S
            elif self.memory is None or self.memory / MINUTE_S <= self._past_min:
                self.memory = round(self._out_s, 1)
        else:
            self.memory = 0.0 if self._in_bed and night else None

    def _forget(self) -> None:
        """Forget what was before a long pause, but not what is past its limit."""
        self._lying_s = None
        if not self._is_past:
            self._in_bed, self._out_s, self._sure = False, None, True

    @property
    def _is_past(self) -> bool:
        return self._sure and round((self._out_s or 0.0) / MINUTE_S, 1) > self._past_min


def _has_moved(before: Seen, now: Seen) -> bool:
    if isinstance(now.value, bool) or isinstance(before.value, bool):
        return before.value != now.value
    return number(now) > number(before)
