"""Things laid over pictures that a real camera has made already: light added where its own path can be guessed only.

A real picture has been through optics, tone, sharpening, noise filter and codec. What is laid over it goes the same
way as far as that can be made up: blurred by a lens, mixed with what is behind it in linear light (by a drawn tone
curve), sharpened, given noise as strong as the footage's own, and handed through a noise filter that leaves ghosts.
Only the difference it makes is kept, so a picture over which nothing is laid stays bit for bit what it was.
"""

from collections.abc import Iterable

import numpy as np

from gateway.vision.sight import Luma
from models.train.render.camera import Seen, seen_of
from models.train.render.lens import Look
from models.train.render.optics import blurred, cut, denoised, sharpened
from models.train.render.parts import Patch, Plane

FAINT = 0.5  # grey levels: below it a ghost shows in no picture


class Overlay:
    """Lays patches over one camera's pictures, in their order.

    `incident` (h, w) is how strongly a thing before each pixel is lit, `noise` the sigma of the footage's noise.
    """

    def __init__(self, rng: np.random.Generator, look: Look, incident: Plane, *, noise: float) -> None:
        self._rng, self._look, self._incident, self._noise = rng, look, incident, noise
        self._lights = look.tone.lights()
        self._kept: Plane = np.zeros_like(incident)  # by what the last picture was changed
        self._fading = False

    def lay(self, picture: Luma, patches: Iterable[Patch]) -> tuple[Luma, list[Seen | None]]:
        """Return the picture with the patches before it, and where each shows (None: nowhere)."""
        wanted = np.zeros_like(self._kept)
        seen = [self._add(picture, blurred(patch, self._look.psf_px), wanted) for patch in patches]
        if not seen and not self._fading:
            return picture, []
        self._kept = denoised(self._kept, sharpened(wanted, self._look), self._look)
        self._fading = bool(np.abs(self._kept).max() > FAINT)
        return np.clip(picture + self._kept + 0.5, 0, 255).astype(np.uint8), seen

    def _add(self, picture: Luma, patch: Patch, wanted: Plane) -> Seen | None:
        """Add by how many grey levels a patch changes the picture."""
        height, width = picture.shape
        y0, x0 = max(patch.y, 0), max(patch.x, 0)
        y1 = min(patch.y + patch.cover.shape[0], height)
        x1 = min(patch.x + patch.cover.shape[1], width)
        if y1 <= y0 or x1 <= x0:
            return None
        where = slice(y0, y1), slice(x0, x1)
        cover, light = cut(patch, where)
        mixed = self._lights[picture[where]] * (1 - cover) + light * self._incident[where]
        change = np.where(cover > 1e-3, self._look.tone.level(mixed) - picture[where], 0).astype(np.float32)
        grain = self._rng.standard_normal(cover.shape, dtype=np.float32) * np.float32(self._noise) * cover
        wanted[where] += change + grain
        return seen_of(cover, np.abs(change), (x0, y0), (height, width))
