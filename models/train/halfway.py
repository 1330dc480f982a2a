"""A training that was broken off goes on after its last whole epoch, as if it had not been.

What an epoch does depends on its number, the weights, the optimizer and torch's own dice; all are kept after each one,
beside the weights that are to come. What was begun with another recipe or on other tubelets is begun anew.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import torch


class Part(Protocol):
    """A net, an optimizer or a schedule."""

    def state_dict(self) -> dict[str, Any]:
        """Return all that it must be given back to go on."""
        ...

    def load_state_dict(self, state: dict[str, Any], /) -> object:
        """Take that back."""
        ...


class Halfway:
    """A file beside `weights`; `what` names the recipe and the tubelets. Without `weights` nothing is kept."""

    def __init__(self, weights: Path | None, what: str, parts: Sequence[Part]) -> None:
        self._path = weights and weights.with_suffix(".halfway")
        self._what, self._parts = what, parts

    def save(self, epoch: int, best: dict[str, Any]) -> None:
        """Keep everything after an epoch, and the best one so far."""
        if self._path is None:
            return
        state = {
            "what": self._what, "epoch": epoch, "best": best, "dice": torch.get_rng_state(),
            "parts": [part.state_dict() for part in self._parts],
        }  # fmt: skip
        new = self._path.with_suffix(".new")
        torch.save(state, new)
        new.replace(self._path)

    def resume(self) -> tuple[int, dict[str, Any]] | None:
        """Give all parts their state back; return the last whole epoch and the best so far, None if there is none."""
        if self._path is None or not self._path.exists():
            return None
        state = torch.load(self._path, weights_only=True)
        if state["what"] != self._what:
            return None
        for part, each in zip(self._parts, state["parts"], strict=True):
            part.load_state_dict(each)
        torch.set_rng_state(state["dice"])
        return state["epoch"], state["best"]

    def done(self) -> None:
        """Forget it: the weights are there."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
