"""One standing scene: a house before a camera at some time of day, as light that reaches the lens."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.vision.sight import Outlook
from models.train.render import surroundings, views
from models.train.render.canvas import Canvas, cloud
from models.train.render.facade import House, house, paint
from models.train.render.parts import Plane, View
from models.train.render.settings import Settings
from models.train.render.styles import style_of

SUPERSAMPLE = 2
MOST_TEXELS = 7e6
MOST_SCALE = 90.0
FLOORS = (6, 18)


@dataclass(frozen=True)
class Scene:
    """What stands still. All planes are those of the picture.

    `light` is the radiance, `glass` where panes mirror (0..1), `free` how much of a pixel nothing in the
    foreground hides, `incident` how strongly what comes by is lit. `darkness` is 0 by day, 1 at night.
    """

    view: View
    house: House
    light: Plane
    glass: Plane
    free: Plane
    incident: Plane
    darkness: float
    sunny: bool
    outlook: Outlook


def scene(rng: np.random.Generator, settings: Settings) -> Scene:
    """Return a scene of the split's styles."""
    mine, around, light_rng = rng.spawn(3)
    style = style_of(mine, settings.split)
    floors = int(mine.integers(FLOORS[0], FLOORS[1] + 1))
    left, right = -mine.uniform(6, 32), mine.uniform(6, 32)
    front = house(mine, style, floors=floors, left=left, right=right)
    view = views.choose(mine, settings, front)
    if settings.window == "part":
        view = views.part(mine, view, front)
    darkness = _darkness(light_rng)
    albedo, glow, glass, cover = _front(mine, view, front, darkness)
    incident, sunny = _incident(light_rng, view, darkness, albedo, cover)
    light = albedo * incident + glow
    behind = _behind(around, view, settings, darkness, incident)
    light = light * cover + behind * (1 - cover)
    surroundings.wires(around, light)
    foliage = surroundings.trees(around, view)
    light = light * (1 - foliage.cover) + foliage.light * incident * foliage.cover
    return Scene(
        view=view,
        house=front,
        light=np.ascontiguousarray(light, np.float32),
        glass=(glass * cover).astype(np.float32),
        free=(1 - foliage.cover).astype(np.float32),
        incident=incident,
        darkness=darkness,
        sunny=sunny,
        outlook=outlook(view, front),
    )


def outlook(view: View, front: House) -> Outlook:
    """Return what an installer would have clicked: the facade and the slabs of the floors in the picture."""
    low, high = views.seen_m(view, front)
    corners = np.array([[x, view.distance_m, z] for x, z in (
        (front.left, high), (front.right, high), (front.right, low), (front.left, low)
    )])  # fmt: skip
    points, _ = view.project(corners)
    points = np.clip(points, 0, (view.width, view.height))
    floors = [(views.row_of(view, front.slab_m(floor)), float(floor)) for floor in range(1, front.floors + 1)]
    seen = tuple((y, floor) for y, floor in floors if 0 <= y <= view.height)
    return Outlook(watch=tuple((float(x), float(y)) for x, y in points), floors=seen if len(seen) > 1 else ())


def _darkness(rng: np.random.Generator) -> float:
    drawn = rng.random()
    if drawn < 0.66:
        return 0.0
    return float(rng.uniform(0.35, 0.75)) if drawn < 0.78 else 1.0


def _front(
    rng: np.random.Generator, view: View, front: House, dark: float
) -> tuple[Plane, Plane, Plane, Plane]:
    """Return reflectance, glow, glass and cover of the house in the picture."""
    low, high = views.seen_m(view, front)
    depth = view.project(np.array([[0.0, view.distance_m, high]]))[1][0]
    edges = np.array([0.0, view.width]) + view.left_px - view.width / 2
    left, right = np.clip(edges * depth / view.focal_px, front.left, front.right)
    left, right = (left, right) if right - left > 0.5 else (front.left, front.left + 0.5)
    size = max((right - left) * (high - low), 1.0)
    scale = min(view.pixels_per_metre(low) * 1.1, MOST_SCALE, (MOST_TEXELS / size) ** 0.5)
    canvas = Canvas(float(left), low, float(right), high, scale)
    paint(rng, canvas, front, dark=dark)
    height, width = canvas.wall.shape
    matrix = plane_to_picture(view, canvas, (width, height), SUPERSAMPLE)
    big = (view.width * SUPERSAMPLE, view.height * SUPERSAMPLE)
    layers = np.dstack([canvas.wall, canvas.glow, canvas.glass, np.ones_like(canvas.wall)])
    warped = cv2.warpPerspective(layers, matrix, big, flags=cv2.INTER_LINEAR)
    fine = cv2.resize(warped, (view.width, view.height), interpolation=cv2.INTER_AREA)
    wall, glow, glass, cover = (np.ascontiguousarray(fine[:, :, k], np.float32) for k in range(4))
    solid: Plane = np.maximum(cover, np.float32(1e-3))
    wall, glow, glass = (np.asarray(plane / solid, np.float32) for plane in (wall, glow, glass))
    return wall, glow, glass, np.asarray(cover, np.float32)


def plane_to_picture(view: View, canvas: Canvas, size: tuple[int, int], factor: int) -> NDArray[np.float64]:
    """Return the homography from pixels of a canvas on the facade to pixels of a picture `factor` times as fine."""
    across = (canvas.left, canvas.right)
    corners = np.array([[x, view.distance_m, z] for z in (canvas.top, canvas.bottom) for x in across])
    points, _ = view.project(corners)
    width, height = size
    from_px = np.array([[0, 0], [width, 0], [0, height], [width, height]]) - 0.5
    to_px = (points) * factor - 0.5
    return np.asarray(cv2.getPerspectiveTransform(from_px.astype(np.float32), to_px.astype(np.float32)))


def _incident(
    rng: np.random.Generator, view: View, dark: float, albedo: Plane, cover: Plane
) -> tuple[Plane, bool]:
    """Return how strongly things are lit, as the camera's own exposure shows it, and whether the sun shines."""
    shape = (view.height, view.width)
    lit = cover > 0.5
    middle = float(np.median(albedo[lit][::97])) if lit.any() else 0.3
    target = (
        rng.uniform(0.1, 0.42)
        if dark < 0.3
        else rng.uniform(0.05, 0.2)
        if dark < 1
        else rng.uniform(0.012, 0.09)
    )
    incident = np.full(shape, target / max(middle, 0.05), np.float32)
    sunny = bool(dark == 0 and rng.random() < 0.4)
    if sunny and rng.random() < 0.6:
        incident *= _shade_of_houses(rng, shape)
    if dark > 0.3:
        incident *= _lamp(rng, view, dark)
    return np.clip(incident, 0.004, 2.5).astype(np.float32), sunny


def _shade_of_houses(rng: np.random.Generator, shape: tuple[int, int]) -> Plane:
    """Return the shadow of the house opposite: a slanting edge, soft, with everything below it darker."""
    rows = np.arange(shape[0], dtype=np.float32)[:, None]
    columns = np.arange(shape[1], dtype=np.float32)[None, :]
    edge = shape[0] * rng.uniform(0.2, 0.9) + (columns - shape[1] / 2) * rng.uniform(-0.8, 0.8)
    share = np.clip((edge - rows) / rng.uniform(2, 12) + 0.5, 0, 1)
    return np.asarray(share + (1 - share) * rng.uniform(0.25, 0.5), np.float32)


def _lamp(rng: np.random.Generator, view: View, dark: float) -> Plane:
    """Return the pool of light at night: the camera's own infra-red lamp, or lanterns below."""
    across = np.linspace(-1, 1, view.width, dtype=np.float32)[None, :]
    down = np.linspace(-1, 1, view.height, dtype=np.float32)[:, None]
    if rng.random() < 0.5:
        off = (across - rng.uniform(-0.3, 0.3)) ** 2 + (0.8 * (down - rng.uniform(-0.2, 0.6))) ** 2
        pool = 1.7 * np.exp(-off * rng.uniform(0.5, 1.6))
    else:
        pool = 0.4 + 0.9 * np.clip((down + 1) / 2, 0, 1) ** rng.uniform(1, 3)
    pool = pool * (1 + 0.15 * cloud(rng, (view.height, view.width), view.width / 3))
    return np.asarray(1 + dark * (pool - 1), np.float32)


def _behind(rng: np.random.Generator, view: View, settings: Settings, dark: float, incident: Plane) -> Plane:
    """Return sky, ground and perhaps a second house further away."""
    light = surroundings.sky(rng, view, dark)
    surroundings.ground(rng, view, light)
    if rng.random() < 0.6:
        side = 1 if rng.random() < 0.5 else -1
        near, far = sorted((side * rng.uniform(8, 25), side * rng.uniform(40, 80)))
        floors = int(rng.integers(5, 26))
        other = house(rng, style_of(rng, settings.split), floors=floors, left=near, right=far)
        further = replace(view, distance_m=view.distance_m + float(rng.uniform(12, 60)))
        if views.height_at(further, view.height) < other.roof_m - 3:
            wall, glow, _, cover = _front(rng, further, other, dark)
            haze = float(rng.uniform(0.0, 0.3)) * (1 - dark)
            seen = (wall * incident * 0.85 + glow) * (1 - haze) + haze * 0.5
            light = light * (1 - cover) + seen * cover
    return light
