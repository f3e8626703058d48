"""Plots of a training, kept until the next one: Dagster shows the newest run, and most runs train nothing."""

from __future__ import annotations

from collections.abc import Mapping

from shops import ShopFolders


def keep_plots(folders: ShopFolders, model_name: str, plots: Mapping[str, bytes]) -> dict[str, bytes]:
    """`plots` of a training of this run, which replace those kept; where there was none, those of the last one."""
    folder = folders.reports / "models" / "plots" / model_name
    if not plots:
        return {file.stem: file.read_bytes() for file in sorted(folder.glob("*.png"))}
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.png"):
        file.unlink()
    for name, png in plots.items():
        (folder / f"{name}.png").write_bytes(png)
    return dict(plots)
