"""The champion of a model: read back with all checks, or taken back to an earlier one."""

from __future__ import annotations

import getpass
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

import dagster as dg

from orchestration.lock import write_lock
from orchestration.model_inputs import current_as_of, described
from orchestration.model_ledger import ROLLED_BACK, Choice, all_choices, now, record_choice
from orchestration.warehouse import has_table, reading
from shops import ShopFolders

if TYPE_CHECKING:  # scikit-learn takes seconds to import, and every command loads this module
    from ml.propensity import PropensityScorer


class RollbackNotPossible(ValueError):
    """There is no such model, or no version to go back to; the message says what there is."""


def load_champion(folders: ShopFolders, choice: Choice) -> PropensityScorer:
    """The scorer of a choice, after every check has passed.

    Raises
    ------
    dagster.Failure
        If its artifact is missing, was changed, is of another scikit-learn or of other features than the ledger says,
        or needs features that no table has any more. Nothing is scored by it, and nothing else in its place.
    """
    from ml.artifacts import ArtifactError, load_scorer
    from ml.catalogue import CatalogueError

    folder = folders.models / choice.model_name / choice.model_version
    try:
        scorer = load_scorer(folder, sha256=choice.artifact_sha256)
        if scorer.feature_schema_hash != choice.feature_schema_hash:
            raise ArtifactError(
                f"{folder} learned from features with the hash {scorer.feature_schema_hash}, and the ledger says "
                f"{choice.feature_schema_hash}."
            )
        features = described(choice.model_name, scorer.feature_names)
        own = [each for each in features if each.name in scorer.feature_names]
        changed = [each.name for each in own if each.is_number != (each.name in scorer.numeric)]
        if changed:
            raise ArtifactError(f"{folder} took {', '.join(changed)} for what the feature catalogue says it is not.")
    except (ArtifactError, CatalogueError) as error:
        raise dg.Failure(
            f"the champion of {choice.model_name}, {choice.model_version}, cannot be used: {error} "
            f"Next: restore {folders.shown(folder)} (or the feature) from a backup; or go back to the champion before: "
            f"python -m orchestration models rollback {choice.model_name}; or train another on the next free "
            f"hold-out: python -m orchestration retrain {choice.model_name}."
        ) from error
    return scorer


def rollback(
    folders: ShopFolders,
    model_name: str,
    to: str | None = None,
    reason: str | None = None,
    chosen_by: str | None = None,
) -> Choice:
    """Make an earlier champion, or the fallback, the champion again; recorded at once, in effect with the next run.

    Parameters
    ----------
    to : version to go back to; None: the one before the champion of now

    Raises
    ------
    RollbackNotPossible
        The model is not known, the version never was chosen or is the champion already, or there is none before.
    """
    with write_lock(folders.lock, "a rollback"):
        choices = all_choices(folders, model_name)
        if not choices:
            known = ", ".join(dict.fromkeys(one.model_name for one in all_choices(folders))) or "none"
            raise RollbackNotPossible(f"no champion of '{model_name}' is on record. Models with one: {known}.")
        current = choices[-1]
        target = _before(choices) if to is None else _named(choices, to)
        choice = Choice(
            model_name=model_name,
            choice_number=len(choices) + 1,
            model_version=target.model_version,
            choice=ROLLED_BACK,
            is_fallback=target.is_fallback,
            known_from=max(current.known_from, _current_date(folders) or current.known_from),
            hold_out_from=target.hold_out_from,
            trained_through=target.trained_through,
            feature_schema_hash=target.feature_schema_hash,
            artifact_sha256=target.artifact_sha256,
            reason=reason or f"rolled back from {current.model_version}",
            chosen_by=chosen_by or getpass.getuser(),
            chosen_at=now(),
            run_id=None,
        )
        # A version that cannot be used is no way back.
        try:
            load_champion(folders, choice)
        except dg.Failure as error:
            raise RollbackNotPossible(str(error.description)) from error
        record_choice(folders, choice)
    return choice


def _before(choices: list[Choice]) -> Choice:
    """What scored before the champion of now did; of versions that were rolled back from none comes again."""
    current, left = choices[-1], set()
    for one, following in pairwise(choices):
        if following.choice == ROLLED_BACK:
            left.add(one.model_version)
    for one in reversed(choices):
        if one.model_version != current.model_version and one.model_version not in left and one.choice != ROLLED_BACK:
            return one
    raise RollbackNotPossible(
        f"{current.model_version} is all that ever scored as {current.model_name}: there is nothing before it."
    )


def _named(choices: list[Choice], version: str) -> Choice:
    current = choices[-1]
    if version == current.model_version:
        raise RollbackNotPossible(f"{version} is the champion of {current.model_name} already.")
    found = [one for one in choices if one.model_version == version]
    if not found:
        known = ", ".join(dict.fromkeys(one.model_version for one in choices))
        raise RollbackNotPossible(
            f"{version} never was the champion of {current.model_name}. Those that were: {known}."
        )
    return found[-1]


def champions(folders: ShopFolders) -> dict[str, Choice]:
    """What scores now, by model."""
    return {one.model_name: one for one in all_choices(folders)}


def _current_date(folders: ShopFolders) -> date | None:
    if not has_table(folders.warehouse, "features", "int_as_of_dates"):
        return None
    with reading(folders.warehouse) as connection:
        return current_as_of(connection)
