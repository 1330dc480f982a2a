"""What else goes on in a stream: negatives by cause, asked for their patches frame by frame."""

from collections.abc import Iterable, Iterator

import numpy as np

from models.train.render.camera import Shot
from models.train.render.negatives import CAUSES
from models.train.render.parts import Agent, Disturbance, View


def others(
    rng: np.random.Generator, causes: Iterable[str], view: View, seconds: float, *, held_out: bool
) -> tuple[list[Agent], list[Disturbance]]:
    """Return the agents and disturbances of some causes over some seconds."""
    agents: list[Agent] = []
    disturbances: list[Disturbance] = []
    for cause, own in [(cause, rng.spawn(1)[0]) for cause in causes]:
        for each in CAUSES[cause](own, view, seconds, held_out=held_out):
            if isinstance(each, Disturbance):
                disturbances.append(each)
            else:
                agents.append(each)
    return agents, disturbances


def shots_of(agents: list[Agent], opens_s: float, closes_s: float) -> Iterator[Shot]:
    """Yield what agents show during an exposure; those that will never show again leave the list."""
    agents[:] = [agent for agent in agents if not agent.over(opens_s)]
    for agent in agents:
        glows, overlay = getattr(agent, "glows", False), getattr(agent, "overlay", False)
        for patch in agent.patches(opens_s, closes_s):
            yield Shot(patch, glows=glows, overlay=overlay)
