"""`python -m orchestration`: run the chain, or open the Dagster UI."""

from __future__ import annotations

import argparse
import gc
import os
import socket
import sys
import time

from rich.console import Console

from shops import SettingsError, ShopFolders

PIPE_WIDTH = 120


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m orchestration", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="land, build, check, score, segment and publish one shop")
    run.add_argument("--shop", help="a folder under shops/ (default: demo, or AUDIENCE_SHOP)")
    run.add_argument("--if-changed", action="store_true", help="reuse what is published when nothing has changed")
    ui = commands.add_parser("ui", help="open Dagster on a free local port")
    ui.add_argument("--shop", help="a folder under shops/ (default: demo, or AUDIENCE_SHOP)")
    ui.add_argument("--port", type=int, help="this port instead of a free one")
    options = parser.parse_args(arguments)
    # A run makes millions of long-lived objects (manifest, graph, modules): looking for garbage among them every few
    # thousand allocations cost a tenth of a small run.
    gc.set_threshold(200_000, 20, 20)
    folders = ShopFolders.of(options.shop)
    os.environ["AUDIENCE_SHOP"] = folders.shop
    if options.command == "ui":
        return _open_ui(folders, options.port)
    return _run(folders, only_if_changed=options.if_changed)


def _run(folders: ShopFolders, only_if_changed: bool) -> int:
    # Imported here: `--help` and a mistyped command should not wait for Dagster and dbt.
    started = time.perf_counter()
    # Into a file or a pipe, where nothing says how wide it is, tables get the room that they need.
    console = Console() if sys.stdout.isatty() else Console(width=PIPE_WIDTH)
    errors = Console(stderr=True)
    from orchestration.lock import WarehouseBusy
    from orchestration.progress import print_progress
    from orchestration.running import is_up_to_date, run_chain
    from orchestration.summary import print_summary

    try:
        if only_if_changed and is_up_to_date(folders):
            console.print(
                f"up to date: code, settings and landed data are those of the published run in "
                f"{folders.shown(folders.current)}; "
                "nothing to do (make run rebuilds all the same)",
                soft_wrap=True,
            )
            print_summary(folders, console)
            return 0
        print_progress(lambda line: console.print(line, highlight=False, soft_wrap=True))
        outcome = run_chain(folders)
    except (SettingsError, WarehouseBusy) as error:
        errors.print(f"error: {error}", highlight=False, soft_wrap=True, markup=False)
        return 1
    seconds = time.perf_counter() - started
    if not outcome.success:
        for failure in outcome.failures:
            errors.print(f"failed: {failure}", style="red", highlight=False, soft_wrap=True, markup=False)
        switched = folders.current.resolve().name == outcome.run_id
        published = "It was published, but the" if switched else "Nothing was published and the"
        errors.print(
            f"The run {outcome.run_id} ended red after {seconds:.0f} s. {published} warehouse is as it was; what the "
            f"run built lies in {folders.shown(folders.runs / outcome.run_id)}. "
            "Next: correct the cause and run again.",
            highlight=False,
            soft_wrap=True,
            markup=False,
        )
        return 1
    print_summary(folders, console)
    console.print(f"done in {seconds:.1f} s")
    return 0


def _open_ui(folders: ShopFolders, port: int | None) -> int:
    from orchestration.instance import prepare_home

    prepare_home(folders)
    chosen = port or _free_port()
    print(f"Dagster for the shop '{folders.shop}' comes up at http://127.0.0.1:{chosen} (Ctrl-C ends it)", flush=True)
    command = ["-m", "dagster", "dev", "-m", "orchestration.definitions", "-h", "127.0.0.1", "-p", str(chosen)]
    # Replaces this process, so that one Ctrl-C reaches Dagster and all of its children.
    os.execv(sys.executable, [sys.executable, *command])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    code = main()
    # Python ends with a search for garbage among all that is about to go anyway.
    gc.freeze()
    sys.exit(code)
