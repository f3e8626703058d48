"""`python -m tour [SCENE]`: five scenes on the demo's result; `make tour` plays all of them."""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console

from shops import SettingsError, ShopFolders
from tour.telling import Teller

SHOP = "demo"
PIPE_WIDTH = 100
# A copy is nobody's news: its red run is told to no webhook, and nothing of it goes to a company's database.
OUTSIDE = ("AUDIENCE_WEBHOOK_URL", "AUDIENCE_POSTGRES_URL")


@dataclass(frozen=True)
class Scene:
    """What a scene is called, what of the shop's folder it works on, and how it is played."""

    name: str
    title: str
    needs: tuple[str, ...]
    play: Callable[[ShopFolders, Teller], object]


def scenes() -> list[Scene]:
    """The scenes in their order, by the names that the command takes."""
    from tour import corrupt_file, future_rows, refit, shared_address, threshold

    modules = (corrupt_file, shared_address, future_rows, refit, threshold)
    return [Scene(one.__name__.rpartition(".")[2], one.TITLE, one.NEEDS, one.play) for one in modules]


def main(arguments: list[str] | None = None) -> int:
    """Play the tour; returns 0, or 1 where there is no result to show or a scene cannot be played."""
    parser = argparse.ArgumentParser(prog="python -m tour", description=__doc__)
    known = scenes()
    parser.add_argument("scene", nargs="?", choices=[one.name for one in known], help="only this one")
    parser.add_argument("--keep", action="store_true", help="keep the scenes' copies, to look around in")
    options = parser.parse_args(arguments)
    gc.set_threshold(200_000, 20, 20)  # As a run does; orchestration/__main__.py says why.
    console = Console(emoji=False) if sys.stdout.isatty() else Console(width=PIPE_WIDTH, emoji=False)
    from tour.copies import NothingToShow, refuse_without_result

    folders = ShopFolders.of(SHOP)
    try:
        refuse_without_result(folders)
        started = time.perf_counter()
        for number, scene in enumerate(known, start=1):
            if options.scene in (None, scene.name):
                _play(scene, folders, Teller(console), f"{number} of {len(known)}", options.keep)
        _say_end(folders, console, time.perf_counter() - started)
    except (NothingToShow, SettingsError) as error:
        Console(stderr=True).print(f"error: {error}", highlight=False, soft_wrap=True, markup=False)
        return 1
    return 0


def _play(scene: Scene, folders: ShopFolders, tell: Teller, number: str, is_kept: bool) -> None:
    from tour.copies import copy_of

    started = time.perf_counter()
    tell.title(f"{number}: {scene.title}")
    outside = {name: os.environ.pop(name) for name in OUTSIDE if name in os.environ}
    try:
        with copy_of(folders, scene.needs, is_kept) as copy:
            scene.play(copy, tell)
            seconds = time.perf_counter() - started
            kept = f", and the copy stays in {copy.shown(copy.data_root)}" if is_kept else ""
            tell.ends(f"{scene.name}: {seconds:.1f} s{kept}")
    finally:
        os.environ.update(outside)


def _say_end(folders: ShopFolders, console: Console, seconds: float) -> None:
    console.print()
    console.print(
        f"done in {seconds:.0f} s. All of it happened in copies: {folders.shown(folders.data)} is as it was. "
        "KEEP=1 keeps the copies; SCENE=name plays one scene.",
        highlight=False,
    )


if __name__ == "__main__":
    raise SystemExit(main())
