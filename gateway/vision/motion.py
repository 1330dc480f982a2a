"""What moves in a picture, at full resolution and at the price of a few passes over its bytes.

A pixel counts where it differs from the background, from what was there a moment ago and from what is there a
moment later (80 ms): only what passes does all three. The background alone sees shadows and parked cars for ever,
the past alone leaves ghosts where a thing has been, and the future tells the blocks that a codec has just renewed,
which stay as they are. So a picture is judged two frames late.

By how much a pixel must differ is told pixel by pixel: by the noise of its surroundings, by how steep the background
is there (an edge that trembles is no thing), and by how often something fires in that cell (leaves, water, a clock
in the corner). So a thing that passes once is seen against far less than what moves all the time.

The background is a running median of three: it takes over what stays for two looks and nothing that passes.
"""

from collections import deque
from dataclasses import replace

import cv2
import numpy as np

from gateway.vision.gathering import NOBODY, Candidates, Moving, chosen, gather, moving_in
from gateway.vision.laying import Picture, lay
from gateway.vision.memory import Memory, Remembered
from gateway.vision.shake import Anchor, Floats, Shift, middle
from gateway.vision.sight import Frame, Ground, Luma, Outlook

CELL = 32  # px: side of a cell of activity
STRIP = 128  # rows of a picture that are compared at a time
APART_S = 0.08  # how far back and ahead a pixel is compared
MOST_APART = 4  # frames
LOOK_S = 0.4  # the background's pace
LEAST = 6.0  # grey levels: never look below
PER_RMS = 2.5  # of the change between two pictures
STEEP_STEADY, STEEP_SHAKEN = 0.10, 0.35  # share of the local contrast that a trembling edge may show
FIRE_UP, FIRE_RATE, FIRE_FREE, FIRE_MOST = 1.5, 0.02, 9.0, 90.0
LOUDER, LOUDER_BY = 4.0, 9.0  # times the squared noise of half the picture, and more: all of it has changed
STARTLED = 6  # looks at the noise in a row that are passed over for it: what goes on is noise
STEADY = 0.08  # px of trembling below which the camera stands still
FEW_PIXELS = 400  # moving pixels that are never too many
MANY_PIXELS = 8000  # changed ones, from which it is quicker to compare all
PULSE = 5  # grey levels: what a key frame's own noise is pressed down by, up to three times
CROWD = 0.06  # share of all pixels: more than this moving is the whole picture changing
BLIND_S = 0.5


class Motion:
    """Follows one camera's background and says what moves before it."""

    def __init__(self, outlook: Outlook) -> None:
        self.recent: deque[Picture] = deque()
        self._spent: deque[Luma] = deque()  # buffers to use again; the newest is still somebody's `before`
        self.blind = 0  # frames in which the whole picture changed
        self._outlook = outlook
        self._anchor = Anchor()
        self._shift = Shift()
        self._trembling = 0.0
        self._usual = 0.0  # moving pixels of a picture
        self._started = False
        self._crowded_since: float | None = None

    @property
    def ground(self) -> Ground:
        """Return what lies behind, as of now."""
        return Ground(self.background, self.threshold)

    # -- one frame -----------------------------------------------------------------------------------------

    def feed(self, frame: Frame) -> Candidates:
        """Take the next frame; return what moves in `picture`, which is a moment older."""
        if not self._started or frame.luma.shape != self.background.shape:
            self._start(frame)
            return NOBODY
        self._settle(frame.time_s)
        while len(self.recent) > 2 * self._apart:
            self._spent.append(self.recent.popleft().luma)
        self.recent.append(self._lay(frame))
        self._count += 1
        if len(self.recent) < 2 * self._apart + 1:
            return NOBODY
        before, picture, after = (self.recent[-1 - back * self._apart] for back in (2, 1, 0))
        self.picture = picture
        cv2.absdiff(picture.luma, before.luma, dst=self._change)
        if self._count % 4 == 0 or self._count < 12:
            self._listen()
        found = self._collect(self._compare(picture.luma, after.luma), picture.time_s)
        self._learn(picture)
        self._memory.take(picture.index, picture.time_s, picture.luma, picture.shift)
        return found

    @property
    def earlier(self) -> list["Picture | Remembered"]:
        """Return the pictures before `picture` that are kept, whole or at half the size, the newest first."""
        whole = [each for each in reversed(self.recent) if each.index < self.picture.index]
        oldest = whole[-1].index if whole else self.picture.index
        return [*whole, *self._memory.before(oldest)]

    def _start(self, frame: Frame) -> None:
        height, width = frame.luma.shape
        self.background: Luma = frame.luma.copy()
        self.threshold: Luma = np.zeros_like(self.background)
        self._memory = Memory()
        self._blocked = _mask(self._outlook, width, height)
        self._cells = (-(-height // CELL), -(-width // CELL))
        room = np.empty(self._cells[0] * self._cells[1] * CELL * CELL, np.uint8)
        self._change = room[: height * width].reshape(
            height, width
        )  # between pictures its bytes are anybody's
        self._spread = room.reshape(self._cells[0] * CELL, self._cells[1] * CELL)  # ... these, in other rows
        self._strip = np.empty((STRIP, width), np.uint8)
        self._fired: Floats = np.zeros(self._cells, np.float32)
        self._noise: Floats = np.full((height // 16, width // 16), 4.0, np.float32)  # squares
        self._started, self._count, self._shift = True, 0, Shift()
        self._startled = 0
        self._began_s = self._looked_s = frame.time_s
        self._looked: Luma | None = None
        self._crowded_since = None
        self.recent.clear()
        self._spent.clear()
        self._anchor.hold(self.background)
        self._rethreshold()
        self._apart = 1
        first = self.background.copy()
        self.picture = Picture(frame.index, frame.time_s, first, Shift(), first)
        self.recent.append(self.picture)

    def _settle(self, time_s: float) -> None:
        """Tell by the first pictures how many come in `APART_S`."""
        if 1 <= self._count < 8:
            lapse = (time_s - self._began_s) / (self._count + 1)
            self._apart = min(max(round(APART_S / max(lapse, 1e-3)), 1), MOST_APART)

    def _lay(self, frame: Frame) -> Picture:
        """Return the frame shifted back onto the background, in a buffer of our own."""
        shift = self._anchor.measure(frame.luma, self._shift)
        step = float(np.hypot(shift.x - self._shift.x, shift.y - self._shift.y))
        self._trembling += 0.05 * (min(step, 2.0) - self._trembling)
        self._shift = shift
        out = self._spent.popleft() if len(self._spent) > 1 else np.empty_like(self.background)
        if self._trembling < STEADY:  # the background takes over what is left; a blend would only blur
            shift = replace(shift, x=float(round(shift.x)), y=float(round(shift.y)))
        lay(frame.luma, shift.x, shift.y, out, self._change)
        if shift.known and max(abs(shift.lit(40)), abs(shift.lit(200))) > 3.0:
            self._relight(shift)
        return Picture(frame.index, frame.time_s, out, shift, self.recent[-1].luma)

    def _relight(self, shift: Shift) -> None:
        """Follow the exposure: the background becomes as light as the picture is."""
        gain = min(max(shift.gain, 0.5), 2.0)
        lit = np.clip(np.arange(256) * gain + shift.bias + 0.5, 0, 255).astype(np.uint8)
        self.background = np.asarray(cv2.LUT(self.background, lit), np.uint8)
        self._anchor.hold(self.background)

    def _compare(self, luma: Luma, later: Luma) -> Moving | None:
        """Leave of the change what also differs from a moment later and from the background, above the threshold.

        Of most pictures only some thousand pixels have changed at all: those alone are compared, and returned.
        """
        cv2.subtract(self._change, self.threshold, dst=self._change)
        if cv2.countNonZero(self._change) > MANY_PIXELS:
            self._compare_all(luma, later)
            return None
        changed = moving_in(self._change)
        now, needed = np.take(luma, changed.places), np.take(self.threshold, changed.places)
        excess = changed.excess
        for other in (later, self.background):
            then = np.take(other, changed.places)
            apart = np.maximum(now, then) - np.minimum(now, then)
            excess = np.minimum(excess, np.maximum(apart, needed) - needed)
        return chosen(changed.places, excess)

    def _compare_all(self, luma: Luma, later: Luma) -> None:
        """Do so strip by strip: what is at hand is small enough for the processor's cache."""
        for top in range(0, len(luma), STRIP):
            rows = slice(top, top + STRIP)
            change, now, needed = self._change[rows], luma[rows], self.threshold[rows]
            apart = self._strip[: len(now)]
            for other in (later, self.background):
                cv2.absdiff(now, other[rows], dst=apart)
                cv2.subtract(apart, needed, dst=apart)
                cv2.min(apart, change, dst=change)

    # -- what moves ----------------------------------------------------------------------------------------

    def _collect(self, moving: Moving | None, time_s: float) -> Candidates:
        """Return what moves: `moving`, or else what is left of the change.

        How many pixels do is counted before any is looked at: a flash moves all of them.
        """
        count = self._count_of(moving)
        for _ in range(3):
            if count <= max(FEW_PIXELS, 4 * self._usual):
                break
            if moving is None:
                cv2.subtract(self._change, np.array(PULSE, np.float64), dst=self._change)
            else:
                moving = chosen(moving.places, np.maximum(moving.excess, PULSE) - np.uint8(PULSE))
            count = self._count_of(moving)
        self._usual += 0.05 * (min(count, 4 * self._usual + FEW_PIXELS) - self._usual)
        if count > CROWD * self._change.size:
            self._crowded(time_s)
            return NOBODY
        self._crowded_since = None
        if not count:
            return NOBODY
        found = gather(moving or moving_in(self._change), self._change.shape)
        self._fire(found)
        return found

    def _count_of(self, moving: Moving | None) -> int:
        return cv2.countNonZero(self._change) if moving is None else len(moving.places)

    def _crowded(self, time_s: float) -> None:
        """Count a picture that changed as a whole; when it stays changed, begin anew."""
        self.blind += 1
        self._fired += np.float32(FIRE_UP / 2)
        if self._crowded_since is None:
            self._crowded_since = time_s
        elif time_s - self._crowded_since > BLIND_S:
            self._started = False

    def _fire(self, found: Candidates) -> None:
        rows = (found.centre[:, 1] / CELL).astype(np.intp)
        columns = (found.centre[:, 0] / CELL).astype(np.intp)
        self._fired[rows, columns] += np.float32(FIRE_UP)

    # -- what is usual -------------------------------------------------------------------------------------

    def _listen(self) -> None:
        """Learn the noise of each block of 16 px from the change of a sixteenth of its pixels; a flash is none."""
        thin = np.minimum(self._change[::4, ::4], 24).astype(np.float32) ** 2
        tall, wide = self._noise.shape
        heard: Floats = np.asarray(
            cv2.resize(thin[: tall * 4, : wide * 4], (wide, tall), interpolation=cv2.INTER_AREA), np.float32
        )
        flash = middle(heard.ravel()) > LOUDER * middle(self._noise.ravel()) + LOUDER_BY
        self._startled = self._startled + 1 if flash and self._count >= 12 else 0
        if 0 < self._startled <= STARTLED:  # or it would deafen for seconds
            return
        cv2.accumulateWeighted(heard, self._noise, max(0.06, 1.0 / self._count))

    def _learn(self, picture: Picture) -> None:
        np.clip(self._fired - np.float32(FIRE_UP * FIRE_RATE), 0, FIRE_MOST, out=self._fired)
        young = picture.time_s - self._began_s < 2.0
        if picture.time_s - self._looked_s >= (LOOK_S / 2 if young else LOOK_S):
            self._looked_s = picture.time_s
            if self._looked is None:
                self._looked = picture.luma.copy()
            else:
                _median_of_three(self.background, self._looked, picture.luma, self._change)
                np.copyto(self._looked, picture.luma)
            if young or self._count % 3 == 0:
                self._anchor.hold(self.background)
        if self._count % 8 == 0 or self._count < 12:
            self._rethreshold()

    def _rethreshold(self) -> None:
        height, width = self.background.shape
        small = cv2.resize(self._noise, (self._cells[1], self._cells[0]), interpolation=cv2.INTER_AREA)
        level = LEAST * 0.5 + PER_RMS * np.sqrt(small) + np.maximum(self._fired - FIRE_FREE, 0)
        level = np.clip(np.maximum(level, LEAST), 0, 255).astype(np.uint8)
        cv2.resize(level, self._spread.shape[::-1], dst=self._spread, interpolation=cv2.INTER_LINEAR)
        spread = self._spread[:height, :width]
        share = STEEP_STEADY + (STEEP_SHAKEN - STEEP_STEADY) * min(self._trembling, 1.0)
        cv2.morphologyEx(self.background, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8), dst=self.threshold)
        cv2.addWeighted(self.threshold, share, spread, 1.0, 0, dst=self.threshold)
        if self._blocked is not None:
            cv2.max(self.threshold, self._blocked, dst=self.threshold)


def _median_of_three(background: Luma, second: Luma, third: Luma, spare: Luma) -> None:
    """Replace the background by the median of the three, pixel by pixel."""
    cv2.min(background, second, dst=spare)
    cv2.max(background, second, dst=background)
    cv2.min(background, third, dst=background)
    cv2.max(background, spare, dst=background)


def _mask(outlook: Outlook, width: int, height: int) -> Luma | None:
    """Return 255 where nothing is to be looked for, None when all of the picture counts."""
    if not outlook.ignore:
        return None
    mask = np.zeros((height, width), np.uint8)
    for polygon in outlook.ignore:
        cv2.fillPoly(mask, [np.asarray(polygon, np.float32).round().astype(np.int32)], (255,))
    return mask
