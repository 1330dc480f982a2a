"""A small street for the watcher's tests: a wall with windows, noise, and one thing that moves as it is told."""

from collections.abc import Callable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.vision.sight import Frame, Luma

Way = Callable[[float], tuple[float, float] | None]
"""Where the thing is at a time of the stream, in px; None when it is not there."""

WIDTH, HEIGHT, FPS = 640, 480, 25
GRAVITY = 9.81


def wall(seed: int = 0, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    rough = cv2.GaussianBlur(rng.normal(0, 30, (height, width)).astype(np.float32), (0, 0), 4)
    picture = np.asarray(150 + 2 * rough, np.float32)
    for y in range(20, height - 50, 80):
        for x in range(20, width - 50, 100):
            cv2.rectangle(picture, (x, y), (x + 50, y + 45), (float(rng.uniform(20, 80)),), -1)
            cv2.line(picture, (x + 25, y), (x + 25, y + 45), (180.0,), 2)
    return np.clip(cv2.GaussianBlur(picture, (0, 0), 0.8), 0, 255).astype(np.float32)


def falling(x: float, y: float, *, at_s: float, scale: float = 60.0, perspective: float = 0.01) -> Way:
    """A thing let go at (x, y) that falls freely, seen by a camera that looks up."""

    def way(time_s: float) -> tuple[float, float] | None:
        if time_s < at_s:
            return None
        drop = GRAVITY * (time_s - at_s) ** 2 / 2
        return x, (y + scale * drop) / (1 - perspective * drop)

    return way


def film(
    way: Way,
    *,
    seconds: float = 3.0,
    size: float = 5.0,
    contrast: float = 60.0,
    noise: float = 1.5,
    shake: float = 0.0,
    seed: int = 0,
    light: Callable[[float], float] = lambda _: 1.0,
    fps: float = FPS,
) -> Iterator[Frame]:
    """Yield the frames of one thing going its way before the wall."""
    rng = np.random.default_rng(seed + 1)
    behind = wall(seed)
    for index in range(round(seconds * fps)):
        time_s = index / fps
        picture = behind.copy()
        for moment in np.linspace(time_s, time_s + 0.008, 4):
            if (at := way(float(moment))) is not None:
                x, y = at
                level = behind[int(np.clip(y, 0, HEIGHT - 1)), int(np.clip(x, 0, WIDTH - 1))]
                shade = float(np.clip(level + (contrast if level < 128 else -contrast), 0, 255))
                cv2.circle(picture, (int(x * 16), int(y * 16)), int(size * 8), (shade,), -1, cv2.LINE_AA, 4)
        if shake:
            moved = np.array([[1, 0, shake * np.sin(9 * time_s)], [0, 1, shake * np.cos(7 * time_s)]])
            picture = np.asarray(
                cv2.warpAffine(picture, moved, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
            )
        yield Frame(index, time_s, _seen(picture * light(time_s), rng, noise))


def _seen(picture: NDArray[np.float32], rng: np.random.Generator, noise: float) -> Luma:
    grain = rng.normal(0, noise, picture.shape) if noise else 0.0
    return np.asarray(np.clip(picture + grain, 0, 255), np.uint8)
