"""The real camera process, but for its judge, which takes everything that reaches it for a fall."""

import sys
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.vision import worker
from gateway.vision.tubelet import Tubelet


class Sure:
    """A judge that needs no model."""

    card = SimpleNamespace(threshold=0.5)

    @classmethod
    def default(cls) -> "Sure":
        return cls()

    def classify(self, tubelets: Sequence[Tubelet]) -> NDArray[np.float32]:
        return np.tile(np.array([0.97, 0, 0, 0, 0.03], np.float32), (len(tubelets), 1))


if __name__ == "__main__":
    found: Any = worker
    found.Classifier = Sure
    worker.main(sys.argv[1:])
