"""The curve through a few hits is the one numpy finds by least squares."""

import numpy as np
import pytest

from gateway.vision.bending import after, bent


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("count", [4, 5, 6, 8])
def test_lines_and_parabolas_are_those_of_numpy(degree: int, count: int) -> None:
    rng = np.random.default_rng([degree, count])
    for _ in range(20):
        times = np.cumsum(rng.uniform(0.02, 0.12, count)) - 0.3  # a camera that stumbles
        x, y = rng.uniform(0, 1920, count), 300 + 900 * times + 400 * times**2 + rng.normal(0, 2, count)
        curves = bent(times.tolist(), [x.tolist(), y.tolist()], degree)
        for curve, places in zip(curves, (x, y), strict=True):
            theirs = np.polynomial.Polynomial.fit(times, places, degree)
            for lapse in (-0.2, 0.0, 0.04, 0.16):
                wanted = float(theirs(lapse)), float(theirs.deriv()(lapse))
                assert after(curve, lapse) == pytest.approx(wanted, rel=1e-6, abs=1e-4)
