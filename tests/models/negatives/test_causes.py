"""Every cause keeps the renderer's contract, shows something, and repeats itself from a seed."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from models.train.render.negatives import CAUSES
from models.train.render.negatives.actors import Figure
from models.train.render.parts import Agent, Disturbance, Patch, View

Made = Sequence[Agent | Disturbance]

VIEWS = {
    "whole": View(1280, 720, 1000.0, 35.0, 20.0),
    "steep and near": View(960, 540, 700.0, 58.0, 9.0),
    "part": View(480, 400, 2400.0, 30.0, 30.0, left_px=-200.0, top_px=150.0),
}
SECONDS = 4.0
TIMES = np.arange(0.0, SECONDS, 0.2)
BRIGHTEST = 2.5


def shown(agents: Made, view: View, *, exposure_s: float = 0.01) -> list[tuple[float, Patch]]:
    """Return all patches over the stream that overlap the picture."""
    found: list[tuple[float, Patch]] = []
    for time_s in TIMES:
        for agent in agents:
            if hasattr(agent, "weather") or agent.over(time_s):
                continue
            found.extend((time_s, patch) for patch in agent.patches(time_s, time_s + exposure_s))
    return [(time_s, patch) for time_s, patch in found if overlaps(patch, view)]


def overlaps(patch: Patch, view: View) -> bool:
    height, width = patch.cover.shape
    return patch.x < view.width and patch.y < view.height and patch.x + width > 0 and patch.y + height > 0


def unrest(agents: Made) -> float:
    """Return how much the disturbances among the agents change the picture at most."""
    found = [
        agent.weather(time_s)
        for agent in agents
        if hasattr(agent, "weather")
        for time_s in np.arange(0, SECONDS, 0.02)
    ]
    return max(
        (abs(w.gain - 1) + abs(w.shift_x) + abs(w.shift_y) + abs(w.roll_mrad) for w in found), default=0.0
    )


@pytest.fixture(params=sorted(CAUSES))
def cause(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("held_out", [False, True])
def test_every_cause_shows_itself_within_its_seconds(cause: str, name: str, held_out: bool) -> None:
    view = VIEWS[name]
    agents = CAUSES[cause](np.random.default_rng(5), view, SECONDS, held_out=held_out)
    plain = [p for _, p in shown(agents, view) if p.cover.max() > 0.04 or p.light.max() > 0.02]
    assert plain or unrest(agents) > 0.1


def test_every_agent_is_named_after_its_cause(cause: str) -> None:
    agents = CAUSES[cause](np.random.default_rng(6), VIEWS["whole"], SECONDS)
    assert {agent.cause for agent in agents} == {cause}


@pytest.mark.parametrize("exposure_s", [0.0005, 0.01, 0.04])
def test_patches_are_finite_in_range_and_of_one_shape(cause: str, exposure_s: float) -> None:
    view = VIEWS["steep and near"]
    agents = CAUSES[cause](np.random.default_rng(7), view, SECONDS, held_out=True)
    for _, patch in shown(agents, view, exposure_s=exposure_s):
        assert patch.cover.shape == patch.light.shape
        assert patch.cover.dtype == patch.light.dtype == np.float32
        assert np.isfinite(patch.cover).all()
        assert np.isfinite(patch.light).all()
        assert patch.cover.min() >= -1e-5
        assert patch.cover.max() <= 1.001
        assert patch.light.min() >= -1e-5
        assert patch.light.max() <= BRIGHTEST


def test_the_same_seed_gives_the_same_light(cause: str) -> None:
    view = VIEWS["whole"]
    twice = [CAUSES[cause](np.random.default_rng(8), view, SECONDS) for _ in range(2)]
    first, second = (shown(agents, view) for agents in twice)
    assert len(first) == len(second)
    assert all(
        a.x == b.x and a.y == b.y and np.array_equal(a.light, b.light)
        for (_, a), (_, b) in zip(first, second, strict=True)
    )
    assert unrest(twice[0]) == unrest(twice[1])


def test_an_agent_asked_twice_about_a_time_answers_the_same(cause: str) -> None:
    """Agents are functions of time alone: the camera may ask in any order."""
    view = VIEWS["whole"]
    agents = [a for a in CAUSES[cause](np.random.default_rng(9), view, SECONDS) if hasattr(a, "patches")]
    for agent in agents[:6]:
        late = [patch.light.sum() for patch in agent.patches(2.0, 2.01)]
        list(agent.patches(0.5, 0.51))
        assert [patch.light.sum() for patch in agent.patches(2.0, 2.01)] == late


def test_work_per_frame_is_bounded(cause: str) -> None:
    """Not timed: the light drawn per frame and the number of patches bound it on any machine."""
    view = VIEWS["whole"]
    frames = shown(CAUSES[cause](np.random.default_rng(10), view, SECONDS), view)
    pixels = sum(patch.cover.size for _, patch in frames) / len(TIMES)
    assert pixels <= 0.35 * view.width * view.height
    assert len(frames) / len(TIMES) <= 130


def test_something_keeps_happening_in_a_long_stretch() -> None:
    view = VIEWS["whole"]
    agents = CAUSES["bird"](np.random.default_rng(11), view, 60.0)
    starts = sorted(agent.path.starts_s for agent in agents if isinstance(agent, Figure))
    assert max(b - a for a, b in pairwise(starts)) < 20.0
    assert starts[-1] > 40.0
