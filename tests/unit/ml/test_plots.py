import numpy as np
import pytest

from ml import plots

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def judged() -> tuple[np.ndarray, dict[str, np.ndarray]]:
    generator = np.random.default_rng(0)
    scores = generator.random(500)
    return (generator.random(500) < scores).astype(int), {"model": scores, "base_rate": np.full(500, 0.5)}


def test_hold_out_plots_are_the_same_png_each_time(judged: tuple[np.ndarray, dict[str, np.ndarray]]) -> None:
    for draw in (plots.calibration, plots.lift):
        picture = draw(*judged, "A title")
        assert picture.startswith(PNG)
        assert picture == draw(*judged, "A title")
        assert picture != draw(1 - judged[0], judged[1], "A title")


def test_constant_scores_can_be_drawn(judged: tuple[np.ndarray, dict[str, np.ndarray]]) -> None:
    for draw in (plots.calibration, plots.lift):
        assert draw(judged[0], {"model": np.full(500, 0.2)}, "A title").startswith(PNG)
