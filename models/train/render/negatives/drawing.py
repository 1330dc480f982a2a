"""How a moving thing becomes a patch: its footprint averaged over the exposure, cut to the picture."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.train.render.negatives.places import Points
from models.train.render.parts import Patch, Plane, View

MARGIN = 8  # pixels drawn beyond the picture, for a camera that shakes or blurs afterwards
COARSE_PX = 7.0  # a disc softer than this is drawn at a quarter of the resolution
FRACTION = 4  # bits behind the point in what OpenCV's polygons take
BRIGHTEST = 1.5  # radiance that the 8-bit canvases hold at most


@dataclass(frozen=True, slots=True)
class Part:
    """A filled outline, (k, 2) points, of one radiance. Later parts hide earlier ones."""

    outline: Points
    light: float


def window(
    view: View, left: float, top: float, right: float, bottom: float
) -> tuple[int, int, int, int] | None:
    """Return the box (x0, y0, x1, y1) of whole pixels that lies in the picture and its margin, or None."""
    if not np.isfinite(left + top + right + bottom):
        return None
    x0, y0 = max(int(left), -MARGIN), max(int(top), -MARGIN)
    x1, y1 = min(int(right) + 1, view.width + MARGIN), min(int(bottom) + 1, view.height + MARGIN)
    return (x0, y0, x1, y1) if x1 - x0 > 0 and y1 - y0 > 0 else None


def streak(
    view: View,
    centres: Points,
    radii: Points,
    *,
    light: float,
    opacity: float = 1.0,
    weights: Points | None = None,
) -> Patch | None:
    """Return a soft disc of (n,) radii in px averaged over (n, 2) centres; `weights` (n,) brighten some of them.

    A disc smaller than a pixel covers only its own area; None when nothing shows in the picture.
    """
    if not np.isfinite(centres).all():
        return None
    centres, radii, weights = _dense(centres, radii, weights)
    sigma = np.sqrt(radii**2 / 2 + 0.16)
    reach = 3 * float(sigma.max())
    low, high = centres.min(axis=0) - reach, centres.max(axis=0) + reach
    box = window(view, low[0], low[1], high[0], high[1])
    if box is None:
        return None
    step = 4 if float(sigma.min()) > COARSE_PX else 1
    x0, y0, x1, y1 = box
    columns = np.arange(x0 + (step - 1) / 2, x1 + step - 1, step)
    rows = np.arange(y0 + (step - 1) / 2, y1 + step - 1, step)
    amount = np.minimum(radii**2 / (2 * sigma**2), 1.0) * weights * (opacity / len(centres))
    gx = np.exp(-0.5 * ((columns[None, :] - centres[:, :1]) / sigma[:, None]) ** 2)
    gy = np.exp(-0.5 * ((rows[None, :] - centres[:, 1:]) / sigma[:, None]) ** 2)
    cover = ((gy * amount[:, None]).T @ gx).astype(np.float32)
    if step > 1:
        cover = cv2.resize(
            cover, (cover.shape[1] * step, cover.shape[0] * step), interpolation=cv2.INTER_LINEAR
        )
    np.minimum(cover, 1.0, out=cover)
    return Patch(x0, y0, cover, cover * np.float32(light))


def _dense(centres: Points, radii: Points, weights: Points | None) -> tuple[Points, Points, Points]:
    """Return more positions where the given ones lie too far apart to look like one streak."""
    if weights is None:
        weights = np.ones(len(centres))
    length = float(abs(centres[-1] - centres[0]).sum()) * 1.2
    needed = min(160, int(length / max(0.8, float(radii.min()))) + 1)
    if needed <= len(centres):
        return centres, radii, weights
    old, new = np.linspace(0, 1, len(centres)), np.linspace(0, 1, needed)
    fine = np.stack([np.interp(new, old, centres[:, 0]), np.interp(new, old, centres[:, 1])], axis=1)
    return fine, np.interp(new, old, radii), np.interp(new, old, weights)


def outlines(
    view: View, shapes: Sequence[Sequence[Part]], centres: Points, scales: Points, *, opacity: float = 1.0
) -> Patch | None:
    """Return shapes in metres laid at (n, 2) centres with (n,) pixels per metre, averaged; None out of the picture.

    The shapes share the n exposures evenly, in their order.
    """
    count = len(centres)
    corners = [np.concatenate([part.outline for part in parts]) for parts in shapes if parts]
    if len(corners) < len(shapes):
        return None
    used = [i * len(shapes) // count for i in range(count)]
    upright = scales[:, None] * (1.0, -1.0)
    placed = [corners[k] * upright[i] + centres[i] for i, k in enumerate(used)]
    low = np.min([points.min(axis=0) for points in placed], axis=0) - 1
    high = np.max([points.max(axis=0) for points in placed], axis=0) + 1
    box = window(view, low[0], low[1], high[0], high[1])
    if box is None:
        return None
    x0, y0, x1, y1 = box
    total = np.zeros((y1 - y0, x1 - x0, 2), np.float32)
    for points, k in zip(placed, used, strict=True):
        canvas = np.zeros(total.shape, np.uint8)
        _fill(canvas, shapes[k], ((points - (x0, y0)) * (1 << FRACTION) + 0.5).astype(np.int32))
        cv2.accumulate(canvas, total)
    total *= opacity / (255.0 * count)
    return Patch(x0, y0, total[:, :, 0], total[:, :, 1] * np.float32(BRIGHTEST))


def _fill(canvas: NDArray[np.uint8], parts: Sequence[Part], corners: NDArray[np.int32]) -> None:
    """Fill the parts into a canvas of cover and light; `corners` are all their outlines one after another."""
    first = 0
    for part in parts:
        last = first + len(part.outline)
        shade = min(255.0, part.light * 255.0 / BRIGHTEST)
        cv2.fillPoly(canvas, [corners[first:last]], (255.0, shade), cv2.LINE_AA, FRACTION)
        first = last


def dashes(
    view: View,
    starts: Points,
    ends: Points,
    *,
    widths: Points,
    opacities: Points,
    light: float,
    soft: Points | None = None,
) -> Iterator[Patch]:
    """Yield a line for each of (n, 2) starts and ends, `widths` px thick; one thinner than a pixel is so much fainter.

    `soft` (n,) is the radius in px that a line out of focus is blurred by. Lines out of the picture yield nothing.
    """
    known = np.isfinite(starts + ends).all(axis=1)  # what lies behind the camera has no place in the picture
    starts, ends, widths, opacities = starts[known], ends[known], widths[known], opacities[known]
    thick = np.maximum(1, np.round(widths)).astype(int)
    blur = np.zeros(len(thick), dtype=int) if soft is None else np.round(soft[known]).astype(int)
    reach = (thick + 1 + 2 * blur)[:, None]
    low = np.floor(np.minimum(starts, ends) - reach).astype(int)
    high = np.ceil(np.maximum(starts, ends) + reach).astype(int) + 1
    low, high = np.maximum(low, -MARGIN), np.minimum(high, (view.width + MARGIN, view.height + MARGIN))
    from_px = np.round((starts - low) * (1 << FRACTION)).astype(int)
    to_px = np.round((ends - low) * (1 << FRACTION)).astype(int)
    shown = np.minimum(widths, 1.0) * opacities / 255.0
    for i in np.flatnonzero((high > low).all(axis=1)):
        (x0, y0), (x1, y1) = low[i].tolist(), high[i].tolist()
        canvas = np.zeros((y1 - y0, x1 - x0), np.uint8)
        cv2.line(canvas, from_px[i].tolist(), to_px[i].tolist(), 255, int(thick[i]), cv2.LINE_AA, FRACTION)
        if blur[i]:
            side = 2 * int(blur[i]) + 1
            canvas = cv2.blur(cv2.blur(canvas, (side, side)), (side, side))
        cover = canvas * np.float32(shown[i])
        yield Patch(x0, y0, cover, cover * np.float32(light))


def warped(
    view: View, texture: Plane, motions: Sequence[NDArray[np.float64]], *, gain: float = 1.0
) -> Patch | None:
    """Return a texture (h, w, 2) of cover and light laid into the picture by 2x3 matrices, averaged over them."""
    height, width = texture.shape[:2]
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]], dtype=np.float64)
    every = np.concatenate([corners @ motion.T for motion in motions])
    low, high = every.min(axis=0) - 1, every.max(axis=0) + 1
    box = window(view, low[0], low[1], high[0], high[1])
    if box is None:
        return None
    x0, y0, x1, y1 = box
    total = np.zeros((y1 - y0, x1 - x0, 2), np.float32)
    for motion in motions:
        shifted = motion.copy()
        shifted[:, 2] -= (x0, y0)
        laid = cv2.warpAffine(texture, shifted, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
        cv2.accumulate(laid, total)
    total *= gain / len(motions)
    return Patch(x0, y0, total[:, :, 0], total[:, :, 1])
