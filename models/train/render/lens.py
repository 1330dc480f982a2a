"""What one camera is like, drawn by chance: optics, exposure, tone, noise, sharpening, denoising, coding, mounting.

The test split draws from other ranges and another tone curve, denoiser and encoder preset, so that a test does
not ask for what training has shown.
"""

from dataclasses import dataclass

import numpy as np

from models.train.render.codec import Coding
from models.train.render.parts import View
from models.train.render.settings import Settings
from models.train.render.tone import Tone, gamma_tone, log_tone

SHAKING_SHARE = 0.3
H265_SHARE = {"full": 0.06, "part": 0.15}
LOWEST_MBPS = 0.25
STUTTERS, STUTTERING_SHARE = (5, 6, 6, 10), 0.08


@dataclass(frozen=True, slots=True)
class Look:
    """One camera's character.

    `psf_px` blurs, `vignette` darkens the corners, `noise` is the median sigma in grey levels before denoising,
    `shot` the share of it that grows with light, `grain_px` how coarse it is. `sharpen` at `sharpen_px` makes halos.
    The denoiser keeps `keep` of the last picture where a pixel differs by less than `reach` grey levels; with
    `plain` everywhere. `row_s` is the read-out time of a row. Pictures are `dropped` and `doubled` by chance, and with
    `stutter` each picture of that number is the last one again, as where 25 pictures a second became 30.
    """

    tone: Tone
    exposure_s: float
    row_s: float
    psf_px: float
    vignette: float
    noise: float
    shot: float
    grain_px: float
    sharpen: float
    sharpen_px: float
    keep: float
    reach: float
    plain: bool
    dropped: float
    doubled: float
    stutter: int = 0


@dataclass(frozen=True, slots=True)
class Mount:
    """How steady the camera hangs: `jitter_px` of slow trembling (rms), gusts of up to `gust_px`, at `rate_hz`."""

    jitter_px: float = 0.0
    gust_px: float = 0.0
    rate_hz: float = 3.0
    roll_mrad: float = 0.0

    @property
    def steady(self) -> bool:
        """Return whether it does not move at all."""
        return self.jitter_px == 0.0


def look(rng: np.random.Generator, settings: Settings, darkness: float) -> Look:
    """Return a camera's character; `darkness` is 0 by day, 1 at night."""
    test = settings.held_out
    longest = 0.95 / settings.fps
    shutter = _log(rng, 1 / 1000, 1 / 90) if darkness < 0.3 else _log(rng, 1 / 120, 1 / 25)
    noise = _log(rng, 1.0, 3.6) * (1 + 0.8 * darkness)
    keep = rng.uniform(0.3, 0.7) if rng.random() < 0.8 else 0.0
    if test:
        keep = rng.uniform(0.2, 0.75)
    return Look(
        tone=log_tone(rng) if test else gamma_tone(rng),
        exposure_s=min(shutter * (rng.uniform(0.8, 1.3) if test else 1.0), longest),
        row_s=rng.uniform(0.004, 0.03) / settings.height,
        psf_px=rng.uniform(0.45, 1.25) if test else rng.uniform(0.5, 1.2),
        vignette=rng.uniform(0.0, 0.45),
        noise=min(noise * (rng.uniform(0.8, 1.25) if test else 1.0), 6.0),
        shot=rng.uniform(0.3, 1.0),
        grain_px=rng.uniform(0.0, 0.9) if test else rng.uniform(0.2, 0.75),
        sharpen=rng.uniform(0.0, 1.3) if test else rng.uniform(0.1, 1.0),
        sharpen_px=rng.uniform(1.0, 2.2) if test else rng.uniform(0.8, 1.6),
        keep=keep,
        reach=rng.uniform(6, 22) if test else rng.uniform(8, 18),
        plain=bool(rng.random() < (0.35 if test else 0.15)),
        dropped=0.01 if rng.random() < 0.15 else 0.0,
        doubled=0.02 if rng.random() < 0.15 else 0.0,
        stutter=int(rng.choice(STUTTERS)) if rng.random() < STUTTERING_SHARE else 0,
    )


def mount(rng: np.random.Generator, settings: Settings) -> Mount:
    """Return how steady the camera hangs."""
    shaking = rng.random() < SHAKING_SHARE if settings.shaking is None else settings.shaking
    draws = rng.random(5)
    if not shaking:
        return Mount()
    most = 1.7 if settings.held_out else 1.4
    return Mount(
        jitter_px=0.12 + float(draws[0]) ** 1.5 * (most - 0.12) / 1.6,
        gust_px=3.0 * float(draws[1]) if draws[2] < 0.4 else 0.0,
        rate_hz=0.8 + 7 * float(draws[3]) ** 1.5,
        roll_mrad=0.3 * float(draws[4]) if draws[2] > 0.6 else 0.0,
    )


def coding(rng: np.random.Generator, settings: Settings, view: View) -> Coding:
    """Return how the camera encodes; a part of a picture gets its part of the bits."""
    share = view.width * view.height / (settings.width * settings.height)
    h265 = rng.random() < H265_SHARE[settings.window]
    return Coding(
        name="h265" if h265 else "h264",
        mbps=max(settings.bitrate_mbps * share, LOWEST_MBPS * share),
        gop=int(rng.integers(1, 5) * 25 if rng.random() < 0.7 else rng.integers(25, 101)),
        preset="ultrafast"
        if h265
        else "veryfast"
        if settings.held_out and rng.random() < 0.3
        else "superfast",
    )


def _log(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
