"""Who appears in a stream: what falls, from where and when, with its images in glass and on sunlit walls.

Only falls that a person could see in the picture are kept: at least a pixel and a half wide, visibly off the wall,
in eight frames or more, and over a height worth speaking of. Recall is recall of such falls.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.train.render.bodies import body
from models.train.render.flight import Flight, Flutter, Release, Wind, fly
from models.train.render.kinds import Kind, kind_of, reflectance
from models.train.render.lens import Look
from models.train.render.scene import Scene
from models.train.render.settings import Settings, Truth
from models.train.render.things import Thing, mirrored, shadowed
from models.train.render.views import seen_m

TWIN_SHARE, SHADOW_SHARE = 0.2, 0.2
LEDGE_SHARE = 0.08
TRIES = 60
LEAST_PX = 1.5
LEAST_CONTRAST = {"train": 6.0, "validation": 7.0, "test": 7.0}
LEAST_DROP_M = 5.0  # from the window to where it leaves the picture
LEAST_SEEN_M, LEAST_SEEN_SHARE, LEAST_FRAMES = 3.0, 0.1, 8
WARM_UP_S = 1.6
FROM_ABOVE = 0.03


@dataclass(frozen=True)
class Role:
    """A thing and what is true of it."""

    thing: Thing
    truth: Truth


def falls(rng: np.random.Generator, settings: Settings, scene: Scene, look: Look) -> list[Role]:
    """Return the things that fall in a stream, with their images."""
    cast: list[Role] = []
    wind = _wind(rng)
    for own in rng.spawn(settings.falls):
        cast += _fall(own, settings, scene, look, wind)
    return cast


def _fall(rng: np.random.Generator, settings: Settings, scene: Scene, look: Look, wind: Wind) -> list[Role]:
    best: tuple[float, Role] | None = None
    for _ in range(TRIES):
        role = _draw(rng, settings, scene, look, wind)
        worth = _worth(role.thing, scene, look, settings) if role else -1.0
        if role is not None and (best is None or worth > best[0]):
            best = worth, role
        if worth >= LEAST_CONTRAST[settings.split]:
            break
    if best is None:
        return []
    role = best[1]
    return [role, *_company(rng, role, scene)]


def _draw(rng: np.random.Generator, settings: Settings, scene: Scene, look: Look, wind: Wind) -> Role | None:
    kind = kind_of(rng)
    place = _window(rng, scene)
    if place is None:
        return None
    floor, start = place
    terminal = float(rng.uniform(*kind.terminal_mps))
    flight = fly(rng, Release(
        start=start,
        toss=_toss(rng, kind),
        terminal_mps=terminal,
        wall_y=scene.view.distance_m,
        wind=wind,
        flutter=_flutter(rng, terminal, settings) if kind.flutters else None,
        ledge_z=start[2] * float(rng.uniform(0.3, 0.8)) if rng.random() < LEDGE_SHARE else None,
    ))  # fmt: skip
    shape = kind.shapes[rng.integers(len(kind.shapes))]
    size = float(np.exp(rng.uniform(*np.log(kind.size_m))))
    spin = float(rng.uniform(*kind.spin)) * (1 if rng.random() < 0.5 else -1)
    thing = Thing(
        view=scene.view,
        flight=flight,
        body=body(rng, shape, size, spin=spin, light=reflectance(rng)),
        starts_s=_start(rng, settings, flight),
        row_s=look.row_s,
    )
    return Role(thing, Truth(kind.name, floor, terminal))


def _window(rng: np.random.Generator, scene: Scene) -> tuple[int, tuple[float, float, float]] | None:
    """Return a floor and a point a little before one of its windows; the fall below it is in the picture."""
    view, house = scene.view, scene.house
    low, high = seen_m(view, house)
    top = high if rng.random() > FROM_ABOVE else house.roof_m
    known = range(1, house.floors + 1)
    floors = [n for n in known if low + LEAST_DROP_M < house.slab_m(n) + 1.0 < top - 0.3]
    if not floors:
        floors = [n for n in known if low + 0.6 * LEAST_DROP_M < house.slab_m(n) + 1.0 < top]
    if not floors:
        return None
    floor = floors[rng.integers(len(floors))]
    z = house.slab_m(floor) + float(rng.uniform(1.0, 1.9))
    depths = [view.project(np.array([[0.0, view.distance_m, h]]))[1][0] for h in (low, z)]
    edges = np.array([0.06, 0.94]) * view.width - view.width / 2 + view.left_px
    left = max(float(edges[0] * depth / view.focal_px) for depth in depths)
    right = min(float(edges[1] * depth / view.focal_px) for depth in depths)
    left, right = max(left, house.left + 0.5), min(right, house.right - 0.5)
    if right <= left:
        return None
    return floor, (float(rng.uniform(left, right)), view.distance_m - float(rng.uniform(0.15, 0.7)), z)


def _toss(rng: np.random.Generator, kind: Kind) -> tuple[float, float, float]:
    """Return a velocity: let go, or thrown outwards and aside. What is light cannot be thrown hard."""
    if rng.random() < 0.4:
        return (float(rng.normal(0, 0.2)), -float(rng.uniform(0, 0.5)), 0.0)
    hard = float(rng.uniform(0.5, 8.0)) * min(1.0, kind.terminal_mps[1] / 10)
    aside = float(rng.uniform(-1.2, 1.2))
    return (
        hard * float(np.sin(aside)),
        -hard * float(np.cos(aside)),
        float(rng.uniform(-1.0, 2.0)) * min(hard, 1.5),
    )


def _flutter(rng: np.random.Generator, terminal: float, settings: Settings) -> Flutter:
    return Flutter(
        manner="spin" if settings.held_out else "swing",
        rate_hz=float(rng.uniform(0.5, 2.2)),
        glide=float(rng.uniform(0.05, 0.6)) * min(1.0, 3.0 / terminal),
        phase=float(rng.uniform(0, 6.3)),
        heading=float(rng.normal(0, 0.5)),
    )


def _wind(rng: np.random.Generator) -> Wind:
    speed = float(rng.uniform(0, 6)) * float(rng.random()) ** 0.7
    return Wind(
        x=speed * (1 if rng.random() < 0.5 else -1),
        y=float(rng.normal(0, 0.25)) * speed,
        gusts=0.35 * speed,
        memory_s=float(rng.uniform(0.4, 3)),
    )


def _start(rng: np.random.Generator, settings: Settings, flight: Flight) -> float:
    latest = settings.seconds - min(flight.lasts_s, 0.6 * settings.seconds)
    return float(rng.uniform(min(WARM_UP_S, 0.3 * settings.seconds), max(latest, WARM_UP_S)))


def _worth(thing: Thing, scene: Scene, look: Look, settings: Settings) -> float:
    """Return by how many grey levels the streak typically stands off what is behind it; 0 if too little is seen."""
    times = _seen_s(thing, settings)
    if len(times) < LEAST_FRAMES:
        return 0.0
    heights = thing.flight.at(times[[0, -1]] - thing.starts_s)[:, 2]
    rows = thing.view.project(thing.flight.at(times[[0, -1]] - thing.starts_s))[0][:, 1]
    if heights[0] - heights[1] < LEAST_SEEN_M or rows[1] - rows[0] < LEAST_SEEN_SHARE * settings.height:
        return 0.0
    at = times[[int(share * (len(times) - 1)) for share in (0.15, 0.4, 0.65, 0.9)]]
    if min(thing.width_px(float(t)) for t in at) < LEAST_PX:
        return 0.0
    return float(np.median([_off(thing, scene, look, float(t)) for t in at]))


def _seen_s(thing: Thing, settings: Settings) -> NDArray[np.float64]:
    """Return the times of the frames in which a thing is in the picture and in the air."""
    times = np.arange(0, settings.seconds, 1 / settings.fps)
    times = times[(times > thing.starts_s) & (times < thing.starts_s + thing.flight.lasts_s)]
    if not len(times):
        return times
    points, depths = thing.view.project(thing.flight.at(times - thing.starts_s))
    size = (thing.view.width, thing.view.height)
    return np.asarray(times[(depths > 0.5) & (points > 0).all(axis=1) & (points < size).all(axis=1)])


def _off(thing: Thing, scene: Scene, look: Look, at: float) -> float:
    for patch in thing.patches(at, at + look.exposure_s):
        height, width = scene.light.shape
        rows, columns = np.nonzero(patch.cover > 0.5 * patch.cover.max())
        rows, columns = rows + patch.y, columns + patch.x
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        if not inside.any():
            return 0.0
        rows, columns = rows[inside], columns[inside]
        cover, light = (plane[rows - patch.y, columns - patch.x] for plane in (patch.cover, patch.light))
        behind, free = scene.light[rows, columns], scene.free[rows, columns]
        mixed = behind * (1 - cover * free) + light * free * scene.incident[rows, columns]
        return float(np.abs(look.tone.level(mixed) - look.tone.level(behind)).mean())
    return 0.0


def _company(rng: np.random.Generator, role: Role, scene: Scene) -> list[Role]:
    company = []
    wall = scene.view.distance_m
    if rng.random() < TWIN_SHARE:
        image = mirrored(wall, float(rng.normal(0, 0.35)))
        strength = float(rng.uniform(0.15, 0.5))
        thing = replace(role.thing, ghost=image, glass=scene.glass, strength=strength)
        company.append(Role(thing, replace_truth(role.truth)))
    if scene.sunny and rng.random() < SHADOW_SHARE:
        image = shadowed(wall, float(rng.normal(0, 0.6)), float(rng.uniform(0.3, 1.8)))
        thing = replace(role.thing, ghost=image, strength=float(rng.uniform(0.4, 0.75)), shade=True)
        company.append(Role(thing, replace_truth(role.truth)))
    return company


def replace_truth(truth: Truth) -> Truth:
    """Return the truth of an image of a thing."""
    return Truth(truth.kind, truth.floor, truth.terminal_mps, twin=True)
