"""The search for a maximum: by way of a part of the data, and not in silence when it does not end."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest

from ml.lifetime.maximum import BOUND, NotConvergedError, maximize


class Hill:
    """A hill whose top depends on the data; counts how often it is looked at."""

    looks: ClassVar[dict[float, int]] = {}

    def __init__(self, top: float) -> None:
        self.top, self.weight = top, 1.0

    def __call__(self, at: np.ndarray) -> tuple[float, np.ndarray]:
        self.looks[self.top] = self.looks.get(self.top, 0) + 1
        far = at - self.top
        steep = np.array([100.0, 0.01])
        return float(-(steep * (far**2 + far**4)).sum()), -steep * (2 * far + 4 * far**3)


def test_a_part_of_the_data_saves_steps_on_all_of_it() -> None:
    Hill.looks = {}
    found = maximize(Hill, [1.001, 1.0], np.array([5.0, -5.0]), 200)
    by_way_of_a_part = Hill.looks[1.0]
    assert found.at == pytest.approx([1.0, 1.0], abs=1e-3)
    assert found.value == pytest.approx(0.0, abs=1e-6)
    Hill.looks = {}
    maximize(Hill, [1.0], np.array([5.0, -5.0]), 200)
    assert by_way_of_a_part < Hill.looks[1.0] / 2


def test_a_hill_without_a_top_ends_at_the_bound() -> None:
    class Slope(Hill):
        def __call__(self, at: np.ndarray) -> tuple[float, np.ndarray]:
            return float(at.sum()), np.ones(2)

    for stages in ([1.0], [1.0, 1.0]):
        assert maximize(Slope, stages, np.zeros(2), 200).at == pytest.approx([BOUND, BOUND])


def test_a_search_that_does_not_end_says_where_it_stood() -> None:
    with pytest.raises(NotConvergedError, match=r"within 1 steps; the logarithms .* Next:"):
        maximize(Hill, [1.0], np.array([5.0, -5.0]), 1)
