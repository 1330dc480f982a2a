"""The parts of a camera that are plain functions: blur, vignette, noise, sharpening, denoising, moving a picture."""

from typing import TypeVar

import cv2
import numpy as np

from gateway.vision.sight import Luma
from models.train.render.lens import Look
from models.train.render.parts import Patch, Plane, View, Weather

TILE_SPARE = 97
SHIFT_WORTH = 0.02  # px
Picture = TypeVar("Picture", Plane, Luma)


def blurred(patch: Patch, psf_px: float) -> Patch:
    """Return a patch as the lens shows it."""
    pad = int(np.ceil(3 * psf_px))
    height, width = patch.cover.shape
    both = np.zeros((height + 2 * pad, width + 2 * pad, 2), np.float32)
    both[pad:-pad, pad:-pad, 0] = patch.cover
    both[pad:-pad, pad:-pad, 1] = patch.light
    cv2.GaussianBlur(both, (0, 0), psf_px, dst=both, borderType=cv2.BORDER_REPLICATE)
    return Patch(patch.x - pad, patch.y - pad, both[:, :, 0], both[:, :, 1])


def cut(patch: Patch, slices: tuple[slice, slice]) -> tuple[Plane, Plane]:
    """Return the cover and light of a patch inside a rectangle of the picture that it reaches over."""
    rows = slice(slices[0].start - patch.y, slices[0].stop - patch.y)
    columns = slice(slices[1].start - patch.x, slices[1].stop - patch.x)
    return patch.cover[rows, columns], patch.light[rows, columns]


def vignette(view: View, strength: float) -> Plane:
    """Return the share of light that reaches each pixel; the principal point gets all of it."""
    across = (np.arange(view.width) + view.left_px - view.width / 2) / view.focal_px
    down = (np.arange(view.height) + view.top_px - view.height / 2) / view.focal_px
    away = across[None, :] ** 2 + down[:, None] ** 2
    return np.asarray(1 - strength * np.minimum(away, 1.5) / (1 + away), np.float32)


def sigma_map(look: Look, level: Plane) -> Plane:
    """Return the standard deviation of the noise in grey levels: read noise and shot noise, by the curve's slope."""
    grey = np.arange(256, dtype=np.float32)
    light = look.tone.lights()
    raw = np.sqrt((1 - look.shot) * 0.05 + look.shot * light) * np.minimum(look.tone.slope(grey), 900)
    middle = float(np.median(raw[60:180]))
    table = look.noise * np.clip(raw / middle, 0.25, 1.8)
    return np.take(table.astype(np.float32), np.clip(level, 0, 255).astype(np.uint8))


def noise_tile(rng: np.random.Generator, look: Look, shape: tuple[int, int]) -> Plane:
    """Return a field of noise of sigma 1, a little larger than the picture, as coarse as the camera's own denoising."""
    tile = rng.standard_normal((shape[0] + TILE_SPARE, shape[1] + TILE_SPARE), dtype=np.float32)
    if look.grain_px > 0.25:
        tile = np.asarray(cv2.GaussianBlur(tile, (0, 0), look.grain_px), np.float32)
    return np.asarray(tile / tile[:200, :200].std(), np.float32)


def sharpened(level: Plane, look: Look) -> Plane:
    """Return grey levels, or what they change by, as the camera sharpens them."""
    if not look.sharpen:
        return level
    soft = cv2.GaussianBlur(level, (0, 0), look.sharpen_px)
    return np.asarray(cv2.addWeighted(level, 1 + look.sharpen, soft, -look.sharpen, 0), np.float32)


def denoised(last: Plane, now: Plane, look: Look) -> Plane:
    """Return what the camera's denoiser hands on after `last`: the less it follows, the less something moves."""
    change = now - last
    if look.plain:
        return np.asarray(last + change * np.float32(1 - look.keep), np.float32)
    size = np.asarray(cv2.blur(np.abs(change), (3, 3)), np.float32)
    trust = np.clip(size * np.float32(0.5 / look.reach) - np.float32(0.5), 0, 1)
    return np.asarray(last + change * (1 - look.keep * (1 - trust)), np.float32)


def moved(picture: Picture, weather: Weather) -> Picture:
    """Return a picture (any type OpenCV takes) shifted and rolled about its middle; edges are held."""
    if abs(weather.shift_x) < SHIFT_WORTH and abs(weather.shift_y) < SHIFT_WORTH and not weather.roll_mrad:
        return picture
    height, width = picture.shape
    roll = weather.roll_mrad / 1000
    cos, sin = np.cos(roll), np.sin(roll)
    middle = np.array([width / 2, height / 2])
    turn = np.array([[cos, -sin], [sin, cos]])
    shift = middle - turn @ middle + (weather.shift_x, weather.shift_y)
    matrix = np.concatenate([turn, shift[:, None]], axis=1)
    result: Picture = cv2.warpAffine(
        picture, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).astype(picture.dtype, copy=False)
    return result


def lay_over(picture: Luma, patch: Patch, look: Look) -> None:
    """Write a patch into a finished picture, in grey levels: what a recorder prints has met no lens."""
    height, width = picture.shape
    x0, y0 = max(patch.x, 0), max(patch.y, 0)
    x1, y1 = min(patch.x + patch.cover.shape[1], width), min(patch.y + patch.cover.shape[0], height)
    if x1 <= x0 or y1 <= y0:
        return
    cover, light = cut(patch, (slice(y0, y1), slice(x0, x1)))
    behind = picture[y0:y1, x0:x1]
    level = look.tone.level((light / np.maximum(cover, 1e-3)).astype(np.float32))
    behind[...] = np.clip(behind * (1 - cover) + level * cover + 0.5, 0, 255).astype(np.uint8)
