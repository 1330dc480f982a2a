"""How a camera on a mast moves: smooth trembling of a few rates, with gusts that come and go."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.train.render.lens import Mount
from models.train.render.parts import Disturbance, Weather

RATES = 6  # sines that make up the trembling


@dataclass
class Shaking:
    """A disturbance that is always there: (RATES, 4) rate in rad/s, phase, strength along x and y in px."""

    waves: NDArray[np.float64]
    gusts: NDArray[np.float64]
    roll_mrad: float
    cause: str = "shake"

    def weather(self, time_s: float) -> Weather:
        """Return where the picture has moved to at a time."""
        rate, phase, across, down = self.waves.T
        swing = np.sin(rate * time_s + phase)
        strength = 1.0 + sum(
            float(high * np.exp(-(((time_s - at) / lasts) ** 2))) for at, lasts, high in self.gusts
        )
        roll = self.roll_mrad * float(swing[0]) * strength
        return Weather(1.0, float(swing @ across) * strength, float(swing @ down) * strength, roll)


def shaking(rng: np.random.Generator, mount: Mount, seconds: float) -> Shaking | None:
    """Return the trembling of a mount over a stream; None when it is steady."""
    if mount.steady:
        return None
    rates = 2 * np.pi * mount.rate_hz * np.exp(rng.normal(0, 0.5, RATES))
    strengths = rng.rayleigh(1.0, (RATES, 2)) / np.sqrt(rates / rates.mean())[:, None]
    strengths *= np.array([1.0, rng.uniform(0.3, 1.0)]) * np.sign(rng.normal(size=(RATES, 2)))
    strengths *= mount.jitter_px / np.sqrt((strengths**2).sum() / 2)
    gusts = []
    if mount.gust_px:
        for at in rng.uniform(0, seconds, max(1, int(seconds / 6))):
            gusts.append((at, rng.uniform(0.3, 1.2), mount.gust_px / max(mount.jitter_px, 0.2) * 0.5))
    waves = np.concatenate([np.stack([rates, rng.uniform(0, 6.3, RATES)], axis=1), strengths], axis=1)
    return Shaking(waves, np.array(gusts).reshape(-1, 3), mount.roll_mrad)


def weather_of(disturbances: list[Disturbance], time_s: float) -> Weather:
    """Return what all disturbances together do."""
    gain, across, down, roll = 1.0, 0.0, 0.0, 0.0
    for each in disturbances:
        weather = each.weather(time_s)
        gain *= weather.gain
        across, down, roll = across + weather.shift_x, down + weather.shift_y, roll + weather.roll_mrad
    return Weather(gain, across, down, roll)
