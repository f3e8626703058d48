"""`python -m orchestration models`: who scores, what was decided about challengers, and back to an earlier champion."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

import duckdb
from rich import box
from rich.console import Console
from rich.table import Table

from ingestion.sql import literal
from orchestration.ledger import open_ledger
from orchestration.model_ledger import Choice, Decided, all_choices, all_decisions
from shops import ShopFolders

if TYPE_CHECKING:  # argparse's own type of what `add_subparsers` gives
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_models(commands: Commands) -> None:
    """The command and its parts."""
    models = commands.add_parser("models", help="who scores, why, and back to an earlier champion")
    models.add_argument("--shop", help="a folder under shops/ (default: demo, or AUDIENCE_SHOP)")
    asked = models.add_subparsers(dest="asked", required=True)
    asked.add_parser("list", help="champions, versions and their figures on the hold-out")
    decisions = asked.add_parser("decisions", help="what was decided about challengers, with the reasons")
    decisions.add_argument("model", nargs="?", help="of one model alone, such as purchase_propensity_14d")
    back = asked.add_parser("rollback", help="an earlier champion scores again, from the next run on")
    back.add_argument("model", help="such as purchase_propensity_14d")
    back.add_argument("--to", metavar="VERSION", help="which one (default: the champion before)")
    back.add_argument("--reason", help="why; kept with the choice")
    add_retrain(asked)


def add_retrain(commands: Commands) -> None:
    """`retrain`, as a command of its own and as a part of `models`."""
    retrain = commands.add_parser(
        "retrain",
        help="run the chain and train challengers: of all models that are due, or of those that are named",
        description="A challenger takes the champion's place if it is better on a hold-out that has decided nothing "
        "yet. Models are trained once a week at the most, as there is nothing new to judge on before; those that are "
        "named are trained all the same.",
    )
    retrain.add_argument(
        "models", nargs="*", metavar="MODEL", help="such as purchase_propensity_14d (default: all due)"
    )
    retrain.add_argument("--shop", help="a folder under shops/ (default: demo, or AUDIENCE_SHOP)")


def run_models(folders: ShopFolders, options: argparse.Namespace, console: Console) -> None:
    """List, explain or roll back.

    Raises
    ------
    RollbackNotPossible
        The message says what there is.
    """
    if options.asked == "list":
        _print_list(folders, console)
    elif options.asked == "decisions":
        _print_decisions(all_decisions(folders, options.model), console)
    else:
        # Imported here: `--help` should not wait for Dagster.
        from orchestration.champions import rollback

        choice = rollback(folders, options.model, options.to, options.reason)
        console.print(
            f"recorded: {choice.model_version} is the champion of {choice.model_name} again ({choice.reason}). "
            "Next: make run, and it scores.",
            soft_wrap=True,
            highlight=False,
        )


def _print_list(folders: ShopFolders, console: Console) -> None:
    choices = all_choices(folders)
    if not choices:
        console.print(f"no model has a champion yet. Next: make run SHOP={folders.shop}.", highlight=False)
        return
    figures = _figures(folders)
    # Of each model the one that holds comes last.
    current = {one.model_name: one for one in choices}
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    # A version begins with the name of its model; the intervals, and why, are what `decisions` tells.
    for name in ("version", "", "since", "hold-out", "ROC-AUC", "log loss"):
        table.add_column(name, overflow="fold", no_wrap=name == "")
    for one in choices:
        is_champion = current[one.model_name] is one
        auc, loss = (figures.get((one.model_version, metric), "-") for metric in ("roc_auc", "log_loss"))
        hold_out = str(one.hold_out_from or "-")
        table.add_row(one.model_version, _role(one, is_champion), str(one.known_from), hold_out, auc, loss)
    console.print(table)


def _role(choice: Choice, is_champion: bool) -> str:
    said = choice.choice if choice.choice != "rolled back" else f"rolled back by {choice.chosen_by}"
    return f"champion ({said})" if is_champion else said


def _figures(folders: ShopFolders) -> dict[tuple[str, str], str]:
    """Hold-out figures by version and metric, of the largest slice."""
    open_ledger(folders)
    files = literal(folders.state / "model_performance" / "*.parquet")
    with duckdb.connect() as connection:
        rows = connection.execute(
            "select model_version, metric, max_by(value, rows) "
            f"from read_parquet({files}, union_by_name = true) where metric in ('roc_auc', 'log_loss') "
            "and not starts_with(slice, 'targeting included') group by all"
        ).fetchall()
    return {(version, metric): "-" if value is None else f"{value:.3f}" for version, metric, value in rows}


def _print_decisions(decisions: Sequence[Decided], console: Console) -> None:
    if not decisions:
        console.print("nothing has been decided yet.", highlight=False)
    for one in reversed(decisions):
        against = one.champion_version or "the baselines"
        console.print(
            f"[bold]{one.model_name}[/bold]: {one.challenger_version or 'a challenger'} {one.verdict} on "
            f"{one.as_of_date}, against {against}, on {one.rows:,} rows from {one.hold_out_from} to "
            f"{one.hold_out_through} ({one.decisions_taken} hold-out(s) used so far)",
            highlight=False,
            soft_wrap=True,
        )
        console.print(f"  trained because {one.trained_because}", highlight=False, soft_wrap=True)
        console.print(f"  {one.reason}", highlight=False, soft_wrap=True, markup=False)
