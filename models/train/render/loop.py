"""Hours of a street in which nothing falls, cheap enough to render more of it than anybody could watch.

A few seconds of the empty scene go through the whole camera and its codec once, shaking included. They are kept
decoded and played to and fro for ever; what moves is laid over them afterwards, in linear light but past noise,
denoiser and codec. So negatives are a little crisper than in a `Stream`: that errs on the hard side.
"""

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np

from gateway.vision.sight import Frame, Luma
from models.train.render.camera import Camera, Shot
from models.train.render.codec import through
from models.train.render.extras import others, shots_of
from models.train.render.lens import coding, look, mount
from models.train.render.optics import blurred, cut, lay_over, moved, vignette
from models.train.render.parts import Agent, Disturbance, Weather
from models.train.render.scene import scene
from models.train.render.settings import Settings
from models.train.render.shaking import shaking, weather_of

BASE_S = 12.0
MOST_BASE_BYTES = 700_000_000
ACT_S = 30.0
"""How long one batch of negatives lasts before others take its place."""
KEPT = 24
"""Frames handed out that stay as they are; an older one's memory is used again."""
NEUTRAL = Weather()


class LoopStream:
    """A stream without falls, of any length: `settings.seconds`, or `hours`; `base_s` of it went through the camera.

    The `luma` of a frame is good until 24 more frames have been asked for; whoever wants it longer copies it.
    """

    def __init__(self, settings: Settings, hours: float | None = None, *, base_s: float = BASE_S) -> None:
        dice, self._dice = settings.dice().spawn(2)
        self.settings = settings
        self.seconds = settings.seconds if hours is None else hours * 3600
        self._base_s = min(base_s, self.seconds)
        self._scene = scene(dice.spawn(1)[0], settings)
        self.view, self.outlook = self._scene.view, self._scene.outlook
        self._look = replace(look(dice, settings, self._scene.darkness), dropped=0.0, doubled=0.0)
        self._mount = mount(dice, settings)
        self._coding = coding(dice, settings, self.view)
        self._trembling = shaking(dice, self._mount, self._base_s)
        self._bright = vignette(self.view, self._look.vignette) * self._scene.incident
        self._lights = self._look.tone.lights()
        self._buffers: list[Luma] = []
        self._turn = 0
        self.facts: dict[str, float | str | bool] = {
            "fps": float(settings.fps),
            "bitrate_mbps": settings.bitrate_mbps,
            "codec": self._coding.name,
            "jitter_px": self._mount.jitter_px,
            "noise": self._look.noise,
            "exposure_s": self._look.exposure_s,
            "darkness": self._scene.darkness,
            "night": self._scene.darkness == 1.0,
            "style": self._scene.house.style.name,
        }

    def frames(self) -> Iterator[Frame]:
        """Yield the frames; the same scene for ever, and new negatives every half a minute."""
        base = self.base()
        path = [*range(len(base)), *range(len(base) - 2, 0, -1)]
        agents: list[Agent] = []
        disturbances: list[Disturbance] = []
        started, last = 0.0, base[0]
        for number in range(round(self.seconds * self.settings.fps)):
            time_s = number / self.settings.fps
            if number == 0 or time_s >= started + ACT_S:
                started = time_s
                agents, disturbances = self._act()
            at = path[number % len(path)]
            if self._look.stutter and number and number % self._look.stutter == 0:
                yield Frame(number, time_s, last)
                continue
            since = time_s - started
            shots = list(shots_of(agents, since, since + self._look.exposure_s))
            weather = weather_of(disturbances, since) if disturbances else NEUTRAL
            last = self._frame(base[at], shots, weather, self._trembled(at))
            yield Frame(number, time_s, last)

    def base(self) -> list[Luma]:
        """Return the decoded frames of the empty scene."""
        fps, height, width = self.settings.fps, self.view.height, self.view.width
        count = max(2, min(round(self._base_s * fps), MOST_BASE_BYTES // (height * width)))
        camera = Camera(self._dice.spawn(1)[0], self.view, self._scene, self._look)
        pictures = ((n / fps, camera.shoot([], self._trembled(n))[0]) for n in range(count))
        return [frame.luma.copy() for frame in through(self._coding, fps, pictures)]

    def _act(self) -> tuple[list[Agent], list[Disturbance]]:
        lasts = min(ACT_S, self.seconds)
        return others(self._dice, self.settings.causes, self.view, lasts, held_out=self.settings.held_out)

    def _trembled(self, number: int) -> Weather:
        return self._trembling.weather(number / self.settings.fps) if self._trembling else NEUTRAL

    def _frame(self, base: Luma, shots: list[Shot], weather: Weather, trembled: Weather) -> Luma:
        """Return the base frame itself if nothing happens before it, else a copy with what does."""
        if not shots and weather == NEUTRAL:
            return base
        picture = self._buffer()
        if weather == NEUTRAL:
            np.copyto(picture, base)
        else:
            self._weathered(base, weather, picture)
        shift = (trembled.shift_x + weather.shift_x, trembled.shift_y + weather.shift_y)
        for shot in shots:
            if shot.overlay:
                lay_over(picture, shot.patch, self._look)
            else:
                self._lay(picture, shot, shift, weather.gain)
        return picture

    def _weathered(self, base: Luma, weather: Weather, picture: Luma) -> None:
        if weather.gain != 1.0:
            table = self._look.tone.gained(weather.gain, 256, 1)
            base = cv2.LUT(base, np.clip(table + 0.5, 0, 255).astype(np.uint8)).astype(np.uint8, copy=False)
        np.copyto(picture, moved(base, weather))

    def _lay(self, picture: Luma, shot: Shot, shift: tuple[float, float], gain: float) -> None:
        """Composite one patch in linear light; the still parts' shade stands for the light on it."""
        patch = blurred(shot.patch, self._look.psf_px)
        height, width = picture.shape
        across, down = round(shift[0]), round(shift[1])
        x0, y0 = max(patch.x + across, 0), max(patch.y + down, 0)
        x1 = min(patch.x + across + patch.cover.shape[1], width)
        y1 = min(patch.y + down + patch.cover.shape[0], height)
        if x1 <= x0 or y1 <= y0:
            return
        placed = replace(patch, x=patch.x + across, y=patch.y + down)
        cover, light = cut(placed, (slice(y0, y1), slice(x0, x1)))
        free = self._scene.free[y0:y1, x0:x1]
        cover, light = cover * free, light * free
        light = light if shot.glows else light * self._bright[y0:y1, x0:x1]
        behind = picture[y0:y1, x0:x1]
        mixed = self._lights[behind] * (1 - cover) + light * np.float32(gain)
        level = self._look.tone.level(mixed)
        behind[...] = np.where(cover + light > 1e-3, np.clip(level + 0.5, 0, 255), behind).astype(np.uint8)

    def _buffer(self) -> Luma:
        if len(self._buffers) < KEPT:
            self._buffers.append(np.empty((self.view.height, self.view.width), np.uint8))
            return self._buffers[-1]
        self._turn = (self._turn + 1) % KEPT
        return self._buffers[self._turn - 1]
