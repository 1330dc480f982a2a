"""From light to grey levels and back: one camera's tone curve as tables.

Light is looked up by the square root of its strength, which spends the table where the curve is steep.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.train.render.parts import Plane

CODES = 4096
BRIGHTEST = 2.0
CLIPPED = (
    6.0  # what a white of 255 is taken for, where light is asked back: it may be much more than the least
)


@dataclass(frozen=True)
class Tone:
    """A rising curve: `levels` (CODES,) are the grey levels 0..255 of the codes of light."""

    levels: Plane

    def level(self, light: Plane) -> Plane:
        """Return the grey levels (not rounded) of light."""
        codes = np.sqrt(np.maximum(light, 0) * np.float32(1 / BRIGHTEST)) * np.float32(CODES - 1)
        return np.take(self.levels, codes.astype(np.int32), mode="clip")

    def light(self, level: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the light that shows as a grey level."""
        codes = np.interp(level, self.levels + np.arange(CODES) * 1e-6, np.arange(CODES))
        return (codes / (CODES - 1)) ** 2 * BRIGHTEST

    def lights(self) -> Plane:
        """Return the light of each of the 256 grey levels; black and white are open-ended, so taken mildly."""
        return self.light(np.arange(256.0)).astype(np.float32)

    def gained(self, gain: float, levels: int, per_level: int) -> Plane:
        """Return what grey levels, in steps of 1/`per_level`, become under `gain` times the light."""
        light = self.light(np.arange(levels) / per_level)
        return self.level((light * gain).astype(np.float32))

    def slope(self, level: Plane) -> Plane:
        """Return grey levels per unit of light at grey levels."""
        light = self.light(np.arange(256.0))
        slope = 1 / np.maximum(np.gradient(light), 1e-4)
        return np.interp(level, np.arange(256), slope).astype(np.float32)


def gamma_tone(rng: np.random.Generator) -> Tone:
    """Return a power curve with a shoulder and more or less contrast, as most cameras have."""
    light = _light()
    power, shoulder = rng.uniform(1.7, 2.5), rng.uniform(0.15, 0.8)
    rolled = light * (1 + light * shoulder / 4) / (1 + light * shoulder)
    curve = (rolled / rolled[np.searchsorted(light, 1.05)]) ** (1 / power)
    contrast = rng.uniform(0.0, 0.35)
    bent = curve + contrast * np.sin(2 * np.pi * np.clip(curve, 0, 1)) * -0.12
    low, high = rng.uniform(0, 18), rng.uniform(232, 255)
    return _tone(low + (high - low) * bent)


def log_tone(rng: np.random.Generator) -> Tone:
    """Return a logarithmic curve with crushed blacks: a camera with a wide dynamic range."""
    light = _light()
    depth, crush = rng.uniform(6, 45), rng.uniform(0, 0.03)
    curve = np.log1p(depth * np.maximum(light - crush, 0)) / np.log1p(depth * 1.1)
    low, high = rng.uniform(8, 26), rng.uniform(220, 250)
    return _tone(low + (high - low) * curve)


def _light() -> NDArray[np.float64]:
    return np.asarray((np.arange(CODES) / (CODES - 1)) ** 2 * BRIGHTEST)


def _tone(levels: NDArray[np.float64]) -> Tone:
    return Tone(np.clip(np.maximum.accumulate(levels), 0, 255).astype(np.float32))
