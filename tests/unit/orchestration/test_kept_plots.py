"""Plots of a training stay until the next one."""

from __future__ import annotations

from pathlib import Path

from orchestration.kept_plots import keep_plots
from shops import ShopFolders


def test_plots_stay_until_the_next_training(tmp_path: Path) -> None:
    folders = ShopFolders.of("demo", tmp_path)
    assert keep_plots(folders, "churn_propensity", {}) == {}
    first = {"calibration": b"1", "lift": b"2"}
    assert keep_plots(folders, "churn_propensity", first) == first
    assert keep_plots(folders, "churn_propensity", {}) == first
    assert keep_plots(folders, "click_propensity", {}) == {}
    second = {"calibration": b"3"}
    assert keep_plots(folders, "churn_propensity", second) == second
    assert keep_plots(folders, "churn_propensity", {}) == second
