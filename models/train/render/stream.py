"""A rendered camera: settings in, decoded frames out, and the truth about every fall in them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from statistics import median

import av

from gateway.vision.sight import Frame, Luma, Spot
from models.train.render.camera import Camera, Seen, Shot
from models.train.render.casting import Role, falls
from models.train.render.codec import TICKS, through, video_frame
from models.train.render.extras import others, shots_of
from models.train.render.lens import coding, look, mount
from models.train.render.loop import LoopStream
from models.train.render.scene import scene
from models.train.render.settings import Settings, Truth
from models.train.render.shaking import shaking, weather_of

__all__ = ["LoopStream", "Settings", "Stream", "Truth", "write"]


class Stream:
    """One stream of one camera. `frames` may be gone through once; everything follows from the settings.

    `truths` grows with the frames and is complete when all are out. `outlook` is what an installer would have
    told the watcher, `facts` what the camera is like.
    """

    def __init__(self, settings: Settings) -> None:
        dice, self._dice = settings.dice().spawn(2)
        self.settings = settings
        self._scene = scene(dice.spawn(1)[0], settings)
        self.view, self.outlook = self._scene.view, self._scene.outlook
        self._look = look(dice, settings, self._scene.darkness)
        self._mount = mount(dice, settings)
        self._coding = coding(dice, settings, self.view)
        self._cast = falls(dice.spawn(1)[0], settings, self._scene, self._look)
        self._agents, self._disturbances = others(
            dice, settings.causes, self.view, settings.seconds, held_out=settings.held_out
        )
        trembling = shaking(dice, self._mount, settings.seconds)
        self._disturbances += [trembling] if trembling else []
        self._seen: list[list[tuple[Spot, Seen, float]]] = [[] for _ in self._cast]
        self.truths: list[Truth] = []
        self.facts: dict[str, float | str | bool] = {
            "fps": float(settings.fps),
            "bitrate_mbps": settings.bitrate_mbps,
            "codec": self._coding.name,
            "gop": float(self._coding.gop),
            "jitter_px": self._mount.jitter_px,
            "noise": self._look.noise,
            "denoise": self._look.keep,
            "exposure_s": self._look.exposure_s,
            "night": self._scene.darkness == 1.0,
            "darkness": self._scene.darkness,
            "style": self._scene.house.style.name,
            "distance_m": self.view.distance_m,
            "pitch_deg": self.view.pitch_deg,
        }

    def frames(self) -> Iterator[Frame]:
        """Yield the frames as a gateway would decode them."""
        for frame in through(self._coding, self.settings.fps, self._pictures()):
            self._tell()
            yield frame
        self._tell()

    def _pictures(self) -> Iterator[tuple[float, Luma]]:
        """Yield (time, picture) as the sensor makes them; some are lost, some are sent twice."""
        camera = Camera(self._dice.spawn(1)[0], self.view, self._scene, self._look)
        fps, count = self.settings.fps, 0
        last: tuple[Luma, list[Seen | None]] | None = None
        for number in range(round(self.settings.seconds * fps)):
            chance = self._dice.random()
            if chance < self._look.dropped:
                continue
            again = self._look.stutter and number % self._look.stutter == 0
            if last is None or (chance > self._look.doubled + self._look.dropped and not again):
                last = self._shoot(camera, number / fps)
            for role, seen, mine in zip(self._cast, last[1], self._seen, strict=True):
                if seen is not None:
                    spot = Spot(count, number / fps, *seen.box)
                    mine.append((spot, seen, role.thing.width_px(number / fps)))
            yield number / fps, last[0]
            count += 1

    def _shoot(self, camera: Camera, time_s: float) -> tuple[Luma, list[Seen | None]]:
        closes_s = time_s + self._look.exposure_s
        shots = list(shots_of(self._agents, time_s, closes_s))
        shown: list[int] = []
        for number, role in enumerate(self._cast):
            patches = list(role.thing.patches(time_s, closes_s))
            shots += [Shot(patch, watched=True) for patch in patches]
            shown += [number] * len(patches)
        picture, found = camera.shoot(shots, weather_of(self._disturbances, time_s))
        seen: list[Seen | None] = [None] * len(self._cast)
        for number, each in zip(shown, found, strict=True):
            seen[number] = each
        return picture, seen

    def _tell(self) -> None:
        told = [truth_of(role, seen) for role, seen in zip(self._cast, self._seen, strict=True) if seen]
        self.truths[:] = told


def truth_of(role: Role, seen: Sequence[tuple[Spot, Seen, float]]) -> Truth:
    """Return what is true of a thing by where it was seen, how, and its width in px without blur."""
    return replace(
        role.truth,
        size_px=median(width for _, _, width in seen),
        contrast=median(each.contrast for _, each, _ in seen),
        spots=tuple(spot for spot, _, _ in seen),
    )


def write(stream: Stream, path: Path) -> None:
    """Write a stream as an H.264 file in MP4, for people to look at and for tests of the file reader."""
    rate = stream.settings.fps
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=rate, options={"preset": "superfast", "crf": "19"})
        video.width, video.height = stream.view.width, stream.view.height
        video.pix_fmt = "yuv420p"
        video.codec_context.time_base = Fraction(1, TICKS)
        video.codec_context.thread_count = 1
        for frame in stream.frames():
            container.mux(video.encode(video_frame(frame.luma, frame.time_s)))
        container.mux(video.encode(None))
