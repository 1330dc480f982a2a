"""A short film of a facade by day from which one bottle falls, for the demo: python -m models.train.render.film OUT.mp4

Everything follows from the seed but what a demo wants otherwise than chance does: a quiet sensor, no lost pictures,
and the time of the fall. Beside OUT.mp4 an OUT.toml says what an installer would have told the gateway of this view,
and until when nothing moves in it: so that whoever plays the film can play its quiet part for as long as he likes.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from gateway.vision.sight import Luma
from models.train.render.camera import Camera, Shot
from models.train.render.casting import Role, falls
from models.train.render.codec import TICKS, video_frame
from models.train.render.lens import Look, look
from models.train.render.parts import Weather
from models.train.render.scene import Scene, scene
from models.train.render.settings import Settings

SIZE = (960, 720)
FPS = 25
SECONDS, FALLS_S = 12.0, 6.0
GROUP_S = 1.0  # from one key frame to the next: the film can be cut at each
NOISE, KEPT = 0.8, 0.6
SEED = 57
CRF = "28"


@dataclass(frozen=True)
class Street:
    """One scene before one camera, and what falls in it, with its images in glass and its shadow."""

    settings: Settings
    scene: Scene
    look: Look
    cast: tuple[Role, ...]


def street(seed: int) -> Street:
    """Return the street of a seed; its fall begins at `FALLS_S`."""
    settings = Settings(
        seed=seed, split="validation", width=SIZE[0], height=SIZE[1], fps=FPS, seconds=SECONDS, shaking=False
    )
    dice, _ = settings.dice().spawn(2)
    standing = scene(dice.spawn(1)[0], settings)
    lens = replace(
        look(dice, settings, standing.darkness), noise=NOISE, keep=KEPT, plain=False, dropped=0.0, doubled=0.0
    )
    cast = falls(dice.spawn(1)[0], settings, standing, lens)
    roles = (replace(role, thing=replace(role.thing, starts_s=FALLS_S)) for role in cast)
    return Street(settings, standing, lens, tuple(roles))


def pictures(of: Street) -> Iterator[Luma]:
    """Yield the pictures as the sensor makes them."""
    camera = Camera(np.random.default_rng(of.settings.seed), of.scene.view, of.scene, of.look)
    for number in range(round(SECONDS * FPS)):
        opens_s = number / FPS
        closes_s = opens_s + of.look.exposure_s
        shots = [Shot(patch) for role in of.cast for patch in role.thing.patches(opens_s, closes_s)]
        yield camera.shoot(shots, Weather())[0]


def write(of: Street, path: Path) -> None:
    """Write the film as H.264 without pictures that look ahead, as cameras encode."""
    options = {"preset": "slow", "crf": CRF, "tune": "zerolatency", "sc_threshold": "0"}
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        video = container.add_stream("libx264", rate=FPS, options=options)
        video.width, video.height = SIZE
        video.pix_fmt = "yuv420p"
        video.codec_context.time_base = Fraction(1, TICKS)
        video.codec_context.gop_size = round(GROUP_S * FPS)
        video.codec_context.max_b_frames = 0
        video.codec_context.thread_count = 1
        for number, luma in enumerate(pictures(of)):
            container.mux(video.encode(video_frame(luma, number / FPS)))
        container.mux(video.encode(None))


def told(of: Street) -> str:
    """Return what is to be known of the film, as TOML."""
    outlook, truth = of.scene.outlook, of.cast[0].truth
    watch = ", ".join(f"[{x:.0f}, {y:.0f}]" for x, y in outlook.watch)
    floors = ", ".join(f"{{ y = {y:.0f}, floor = {floor:.0f} }}" for y, floor in outlook.floors)
    return (
        f"# Written by: python -m models.train.render.film --seed {of.settings.seed}\n"
        f"quiet_s = {FALLS_S - GROUP_S:g}  # nothing moves yet; a key frame every {GROUP_S:g} s\n"
        f'falls = "{truth.kind}"\n'
        f"floor = {truth.floor}\n"
        f"watch = [{watch}]\n"
        f"floors = [{floors}]\n"
    )


def main(arguments: Sequence[str]) -> int:
    """Write the film named in the arguments and what is told of it; 1 where nothing falls with this seed."""
    parser = argparse.ArgumentParser(prog="python -m models.train.render.film", description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("out", type=Path)
    given = parser.parse_args(arguments)
    of = street(given.seed)
    if not of.cast:
        print(f"nothing falls with seed {given.seed}; take another", file=sys.stderr)
        return 1
    write(of, given.out)
    given.out.with_suffix(".toml").write_text(told(of), encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
