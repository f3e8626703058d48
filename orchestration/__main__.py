"""`python -m orchestration`: run the chain, go back in time, Dagster's UI, dbt's docs, who is who and who scores."""

from __future__ import annotations

import argparse
import gc
import os
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from rich.console import Console

from shops import SettingsError, ShopFolders

if TYPE_CHECKING:
    from orchestration.running import RunOutcome

PIPE_WIDTH = 120


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m orchestration", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="land, build, check, score, segment and publish one shop")
    run.add_argument("--shop", help="a folder under shops/ (default: demo, or AUDIENCE_SHOP)")
    run.add_argument("--if-changed", action="store_true", help="reuse what is published when nothing has changed")
    _add_backfill(commands)
    _add_backtest(commands)
    ui = commands.add_parser("ui", help="open Dagster on a free local port")
    ui.add_argument("--shop", help="a folder under shops/ (default: demo, or AUDIENCE_SHOP)")
    ui.add_argument("--port", type=int, help="this port instead of a free one")
    docs = commands.add_parser("docs", help="write dbt's docs of all tables as one page, which needs no server")
    docs.add_argument("--shop", help="a folder under shops/ (default: demo, or AUDIENCE_SHOP)")
    _add_identity(commands)
    _add_model_commands(commands)
    options = parser.parse_args(arguments)
    # A run makes millions of long-lived objects (manifest, graph, modules): looking for garbage among them every few
    # thousand allocations cost a tenth of a small run.
    gc.set_threshold(200_000, 20, 20)
    folders = ShopFolders.of(options.shop)
    os.environ["AUDIENCE_SHOP"] = folders.shop
    if options.command == "ui":
        return _open_ui(folders, options.port)
    if options.command == "docs":
        return _docs(folders)
    if options.command == "retrain" or (options.command == "models" and options.asked == "retrain"):
        return _retrain(folders, options.models)
    if options.command == "models":
        return _models(folders, options)
    if options.command == "identity":
        return _identity(folders, options)
    if options.command == "backfill":
        return _backfill(folders, options)
    if options.command == "backtest":
        return _backtest(folders, options)
    return _run(folders, only_if_changed=options.if_changed)


def _add_backfill(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    backfill = commands.add_parser("backfill", help="compute features at as-of dates of the past, and keep them")
    backfill.add_argument("--shop", help="a folder under shops/ (default: demo, or AUDIENCE_SHOP)")
    backfill.add_argument("dates", nargs="*", metavar="DATE", help="an as-of date, such as 2017-06-05")
    backfill.add_argument("--from", dest="first", metavar="DATE", help="each day from this one on, with --to")
    backfill.add_argument("--to", dest="last", metavar="DATE", help="the last day, which is included")


def _add_backtest(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    backtest = commands.add_parser("backtest", help="try a segment's rule at past dates; changes nothing")
    backtest.add_argument("rule", help="key of a rule segment, such as lapsed")
    backtest.add_argument("--shop", help="a folder under shops/ (default: demo, or AUDIENCE_SHOP)")
    backtest.add_argument("--from", dest="first", metavar="DATE", required=True, help="as-of dates from this day on")
    backtest.add_argument("--to", dest="last", metavar="DATE", required=True, help="the last day, which is included")
    threshold = "a threshold as name=value, such as days=45 or form=relative"
    backtest.add_argument("--set", dest="thresholds", metavar="NAME=VALUE", action="append", default=[], help=threshold)
    backtest.add_argument(
        "--against", metavar="NAME=VALUE", action="append", help=f"hold it beside the same rule with {threshold}"
    )
    backtest.add_argument("--horizon", type=int, metavar="DAYS", help="how far 'next' looks (default: as the model)")


def _add_identity(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    identity = commands.add_parser("identity", help="why a customer is one, and what people decide about it")
    identity.add_argument("--shop", help="a folder under shops/ (default: demo, or AUDIENCE_SHOP)")
    asked = identity.add_subparsers(dest="asked", required=True)
    record = "a source record as system:id, e.g. crm_contacts:C10031676"
    explain = asked.add_parser("explain", help="a customer, or two source records")
    explain.add_argument("one", help=f"a customer id, or {record}")
    explain.add_argument("other", nargs="?", help=record)
    for verdict, meaning in (("same", "two records are one person"), ("not-same", "two records are not one person")):
        decide = asked.add_parser(verdict, help=f"decide that {meaning}; holds from the next run on")
        decide.add_argument("one", help=record)
        decide.add_argument("other", help=record)
        decide.add_argument("--reason", help="why; kept with the decision")
    undo = asked.add_parser("undo", help="take a decision back; the next run is as if it had never been taken")
    undo.add_argument("decision", help="its id, from `decisions`")
    undo.add_argument("--reason", help="why; kept with it")
    asked.add_parser("decisions", help="all decisions, and whether they stand")
    asked.add_parser("review", help="what waits for a person to look at it")


def _add_model_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    from orchestration.models_command import add_models, add_retrain

    add_models(commands)
    add_retrain(commands)


def _models(folders: ShopFolders, options: argparse.Namespace) -> int:
    from orchestration.champions import RollbackNotPossible
    from orchestration.lock import WarehouseBusy
    from orchestration.models_command import run_models

    console = Console() if sys.stdout.isatty() else Console(width=PIPE_WIDTH)
    try:
        run_models(folders, options, console)
    except (RollbackNotPossible, SettingsError, WarehouseBusy) as error:
        _say_error(error)
        return 1
    return 0


def _retrain(folders: ShopFolders, models: list[str]) -> int:
    started = time.perf_counter()
    console = Console() if sys.stdout.isatty() else Console(width=PIPE_WIDTH)
    from orchestration.lock import WarehouseBusy
    from orchestration.progress import print_progress
    from orchestration.running import UnknownModel, run_retrain
    from orchestration.summary import print_summary

    try:
        print_progress(lambda line: console.print(line, highlight=False, soft_wrap=True))
        outcome = run_retrain(folders, models)
    except (UnknownModel, SettingsError, WarehouseBusy) as error:
        _say_error(error)
        return 1
    seconds = time.perf_counter() - started
    if not outcome.success:
        _say_failed(folders, outcome, seconds)
        return 1
    print_summary(folders, console)
    console.print(f"done in {seconds:.1f} s; python -m orchestration models decisions says what was decided")
    return 0


def _identity(folders: ShopFolders, options: argparse.Namespace) -> int:
    import duckdb

    from orchestration import identity
    from orchestration.lock import WarehouseBusy

    # Records are named such as orders:email:…, which is no picture of a letter.
    console = Console(emoji=False) if sys.stdout.isatty() else Console(width=PIPE_WIDTH, emoji=False)
    try:
        if options.asked == "explain":
            identity.explain(folders, options.one, options.other, console)
        elif options.asked == "decisions":
            identity.print_decisions(folders, console)
        elif options.asked == "review":
            identity.print_review(folders, console)
        else:
            if options.asked == "undo":
                decision = identity.undo(folders, options.decision, options.reason)
            else:
                verdict = options.asked.replace("-", " ")
                decision = identity.decide(folders, verdict, options.one, options.other, options.reason)
            console.print(f"recorded {decision.decision_id}: {decision.verdict}. Next: make run, and it holds.")
    except (identity.NotFound, SettingsError, WarehouseBusy) as error:
        _say_error(error)
        return 1
    except duckdb.Error as error:
        shown = folders.shown(folders.warehouse)
        print(f"error: {shown} cannot answer: {error}. Next: make run SHOP={folders.shop}.", file=sys.stderr)
        return 1
    return 0


def _run(folders: ShopFolders, only_if_changed: bool) -> int:
    # Imported here: `--help` and a mistyped command should not wait for Dagster and dbt.
    started = time.perf_counter()
    # Into a file or a pipe, where nothing says how wide it is, tables get the room that they need.
    console = Console() if sys.stdout.isatty() else Console(width=PIPE_WIDTH)
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
        _say_error(error)
        return 1
    seconds = time.perf_counter() - started
    if not outcome.success:
        _say_failed(folders, outcome, seconds)
        return 1
    print_summary(folders, console)
    console.print(f"done in {seconds:.1f} s")
    return 0


def _backfill(folders: ShopFolders, options: argparse.Namespace) -> int:
    started = time.perf_counter()
    console = Console() if sys.stdout.isatty() else Console(width=PIPE_WIDTH)
    import duckdb

    from orchestration.as_of_dates import DateNotPossible, read_dates
    from orchestration.lock import WarehouseBusy
    from orchestration.progress import print_progress

    try:
        dates = read_dates(options.dates, options.first, options.last)
        print_progress(lambda line: console.print(line, highlight=False, soft_wrap=True))
        # Dagster and dbt: a date that is none should not wait for them.
        from orchestration.running import run_backfill

        outcome = run_backfill(folders, dates)
    except (DateNotPossible, SettingsError, WarehouseBusy) as error:
        _say_error(error)
        return 1
    except duckdb.Error as error:
        _say_error(f"{folders.shown(folders.warehouse)} cannot answer: {error}. Next: make run SHOP={folders.shop}.")
        return 1
    seconds = time.perf_counter() - started
    if not outcome.success:
        _say_failed(folders, outcome, seconds)
        return 1
    console.print(f"done in {seconds:.1f} s; the dates stay from now on, and what is published is as it was")
    return 0


def _backtest(folders: ShopFolders, options: argparse.Namespace) -> int:
    started = time.perf_counter()
    console = Console() if sys.stdout.isatty() else Console(width=PIPE_WIDTH)
    from orchestration.as_of_dates import DateNotPossible, read_date
    from orchestration.backtest import Asked, BacktestNotPossible, read_thresholds, run_backtest
    from orchestration.lock import WarehouseBusy
    from shops import load_settings

    try:
        found, folder = run_backtest(
            folders,
            load_settings(folders.shop),
            Asked(options.rule, read_thresholds(options.thresholds)),
            read_date(options.first),
            read_date(options.last),
            against=None if options.against is None else read_thresholds(options.against),
            horizon_days=options.horizon,
        )
    except (BacktestNotPossible, DateNotPossible, SettingsError, WarehouseBusy) as error:
        _say_error(error)
        return 1
    from rich.markdown import Markdown

    console.print(Markdown(found.report()))
    seconds = time.perf_counter() - started
    console.print(f"report, pictures and tables: {folders.shown(folder)} ({seconds:.0f} s)", soft_wrap=True)
    return 0


def _docs(folders: ShopFolders) -> int:
    from orchestration.dbt_in_process import DbtFailed, InProcessDbt
    from orchestration.lock import WarehouseBusy, write_lock

    if not folders.warehouse.exists():
        _say_error(f"the shop '{folders.shop}' has no warehouse yet. Next: make run SHOP={folders.shop}.")
        return 1
    page = folders.reports / "dbt" / "index.html"
    try:
        # dbt opens the warehouse as one that may write.
        with write_lock(folders.lock, "dbt's docs"):
            InProcessDbt(folders).write_docs(page)
    except (DbtFailed, SettingsError, WarehouseBusy) as error:
        _say_error(error)
        return 1
    print(f"written to {folders.shown(page)}; open it in a browser")
    return 0


def _say_error(error: object) -> None:
    Console(stderr=True).print(f"error: {error}", highlight=False, soft_wrap=True, markup=False)


def _say_failed(folders: ShopFolders, outcome: RunOutcome, seconds: float) -> None:
    from orchestration.failures import what_stands

    errors = Console(stderr=True)
    for failure in outcome.failures:
        errors.print(f"failed: {failure}", style="red", highlight=False, soft_wrap=True, markup=False)
    errors.print(
        f"The run {outcome.run_id} ended red after {seconds:.0f} s. {what_stands(folders, outcome.run_id)}",
        highlight=False,
        soft_wrap=True,
        markup=False,
    )


def _open_ui(folders: ShopFolders, port: int | None) -> int:
    from orchestration.instance import prepare_home

    prepare_home(folders)
    chosen = port or _free_port()
    print(f"Dagster for the shop '{folders.shop}' comes up at http://127.0.0.1:{chosen} (Ctrl-C ends it)", flush=True)
    _serve_reports()
    command = ["-m", "dagster", "dev", "-m", "orchestration.definitions", "-h", "127.0.0.1", "-p", str(chosen)]
    # What Dagster tells about its own commands is nothing to those who typed `make ui`.
    quietly = ["-W", "ignore:Function `dev_command`"]
    # Replaces this process, so that one Ctrl-C reaches Dagster and all of its children.
    os.execv(sys.executable, [sys.executable, *quietly, *command])


def _serve_reports() -> None:
    """Beside the UI, which links to them; ends with it."""
    from orchestration.report_server import VARIABLE

    with socket.create_server(("127.0.0.1", 0)) as handle:
        command = [sys.executable, "-m", "orchestration.report_server", str(handle.fileno())]
        subprocess.Popen(command, pass_fds=[handle.fileno()])
        os.environ[VARIABLE] = f"http://127.0.0.1:{handle.getsockname()[1]}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    code = main()
    # Python ends with a search for garbage among all that is about to go anyway.
    gc.freeze()
    sys.exit(code)
