"""What a card says of a model, from what was recorded of it."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ml.model_card.content import ModelCard, Picture, Section, Table, as_table
from ml.model_card.fairness import MIN_POSITIVES, MIN_ROWS, group_differences
from ml.model_card.figures import (
    calibration_table,
    fairness_table,
    figures_table,
    gains_table,
    main_slice,
    slices_table,
)
from ml.model_card.sections import (
    Recorded,
    about_model,
    day,
    facts,
    features_section,
    hold_out,
    limits_section,
    plain,
    use_section,
)

# Parameters that are told in sentences of their own, or are long lists.
TOLD_APART = (
    "candidates",
    "chosen",
    "even_points",
    "fold_dates",
    "fold_starts",
    "inputs",
    "open_windows",
    "points_to_double",
    "test_as_of",
    "test_campaigns",
    "test_from",
    "training_campaigns",
    "training_dates",
    "training_positives",
    "training_rows",
)


def make_card(recorded: Recorded) -> ModelCard:
    """The card of a model version."""
    version = recorded.version
    name = str(version["model_name"])
    parameters = json.loads(version["parameters"]) if version.get("parameters") else {}
    about = about_model(name, recorded.unit, parameters.get("horizon_days"))
    part = main_slice(recorded.performance)
    differences = group_differences(recorded.judged, recorded.dimensions) if len(recorded.judged) else None
    sections = [
        use_section(about),
        _data(recorded, parameters),
        _algorithm(version, parameters),
        _figures(recorded, part),
        _calibration(recorded, name),
        _groups(recorded, part, differences),
        features_section(recorded),
        limits_section(recorded, parameters),
        _promotion(recorded),
    ]
    return ModelCard(
        model_name=name,
        model_version=str(version["model_version"]),
        title=about["title"],
        summary=_summary(about, recorded, part),
        facts=facts(recorded, str(version["algorithm"])),
        sections=[section for section in sections if section is not None],
    )


def _summary(about: Mapping[str, Any], recorded: Recorded, part: str | None) -> str:
    if part is None:
        return f"{about['question']} It has not been judged on a hold-out."
    own = recorded.performance[
        (recorded.performance["slice"] == part)
        & (recorded.performance["metric"] == "roc_auc")
        & recorded.performance["is_champion"].astype(bool)
    ]
    if not len(own) or pd.isna(own.iloc[0]["value"]):
        return f"{about['question']} The hold-out had too few of one kind for a figure."
    row = own.iloc[0]
    beside = own.dropna(subset=["baseline"]).sort_values("baseline", ascending=False)
    best = beside.iloc[0] if len(beside) else None
    against = f"; the best baseline has {best['baseline']:.3f}" if best is not None else ""
    return (
        f"{about['question']} On the hold-out its ROC-AUC is {row['value']:.3f} "
        f"({row['ci_low']:.3f} to {row['ci_high']:.3f}), on {int(row['rows']):,} rows{against}."
    )


def _data(recorded: Recorded, parameters: Mapping[str, Any]) -> Section:
    version = recorded.version
    rows: list[tuple[str, str]] = []
    if days := parameters.get("training_dates"):
        rows.append(("Training", f"{len(days)} as-of dates from {days[0]} to {days[-1]}"))
    if campaigns := parameters.get("training_campaigns"):
        rows.append(("Training", f"{len(campaigns)} campaigns"))
    if count := parameters.get("training_rows"):
        positives = parameters.get("training_positives", 0)
        rows.append(("Rows learned from", f"{count:,}, of which {positives:,} positive ({positives / count:.1%})"))
    rows.append(("Last day that a training label saw", day(version["trained_through"])))
    folds = parameters.get("fold_dates") or parameters.get("fold_starts")
    if folds:
        rows.append(
            ("Choice and calibration", f"judged in turn from {', '.join(folds)} on, each by models from before")
        )
    if campaigns := parameters.get("test_campaigns"):
        rows.append(("Hold-out", f"from {hold_out(recorded)} on: {len(campaigns)} campaigns"))
    elif (begin := hold_out(recorded)) != "none":
        rows.append(("Hold-out", f"from {begin} on"))
    sources = sorted({source.partition(".")[0] for feature in recorded.features for source in feature.source})
    rows.append(("Sources", ", ".join(sources)))
    frame = pd.DataFrame(rows, columns=["Part", "What"])
    in_turn = (
        "Training, choice, calibration and hold-out follow each other in time; the last day that a label of one saw "
        "lies before the first day on which the next predicts."
    )
    # ISO dates compare as text
    if hold_out(recorded) <= day(version["trained_through"]):
        in_turn = (
            "It is judged by the scores of many dates, each given by the version that was made before it: no score has "
            "seen its own date."
        )
    return Section(
        "Data",
        text=[in_turn],
        tables=[as_table(frame, "What it was learned from and judged on")],
    )


def _algorithm(version: Mapping[str, Any], parameters: Mapping[str, Any]) -> Section:
    told = {key: plain(value) for key, value in parameters.items() if key not in TOLD_APART}
    rows = [(key.replace("_", " "), value) for key, value in told.items() if value not in ("", "-")]
    tables = []
    if candidates := parameters.get("candidates"):
        compared = pd.DataFrame(
            [
                (
                    one["candidate"],
                    "-" if one.get("roc_auc") is None else f"{one['roc_auc']:.4f}",
                    "{:+.4f} ({:+.4f} to {:+.4f})".format(*one["gain"])
                    if one.get("gain") and None not in one["gain"]
                    else "-",
                )
                for one in candidates
            ],
            columns=["Candidate", "ROC-AUC", "Gain on the best simple one"],
        )
        tables.append(as_table(compared, "What was compared before the hold-out", list(compared.columns[1:])))
    if points := parameters.get("inputs"):
        tables.append(
            as_table(
                pd.DataFrame(
                    [(one["feature"], plain(one["cuts"]), plain(one["points"])) for one in points],
                    columns=["Input", "Cuts", "Points of the bins, the last one for null"],
                ),
                f"The scorecard; {parameters.get('points_to_double')} points double the odds, even at "
                f"{parameters.get('even_points')}",
            )
        )
    if rows:
        tables.append(as_table(pd.DataFrame(rows, columns=["Setting", "Value"]), "Settings"))
    name = str(version["algorithm"])
    return Section("Algorithm", text=[f"{name[:1].upper()}{name[1:]}."], tables=tables)


def _figures(recorded: Recorded, part: str | None) -> Section:
    if part is None:
        return Section("How good it is", text=["It has not been judged: there are no rows in ml.model_performance."])
    tables: list[Table] = [figures_table(recorded.performance, part)]
    if (gains := gains_table(recorded.performance, part)) is not None:
        tables.append(gains)
    return Section("How good it is", tables=tables)


def _calibration(recorded: Recorded, name: str) -> Section | None:
    table = calibration_table(recorded.judged, recorded.performance)
    if table is None:
        return Section(
            "Calibration", text=["No single predictions of the hold-out were kept, and no bands were judged."]
        )
    pictures = []
    labels = recorded.judged["label"].to_numpy(dtype=float) if len(recorded.judged) else np.zeros(0)
    if len(labels) and 0 < labels.sum() < len(labels):
        from ml import plots

        png = plots.calibration(labels, {"model": recorded.judged["probability"]}, name)
        pictures.append(Picture("calibration", "Observed rate over predicted probability", png))
    return Section(
        "Calibration",
        text=["Of those who were given a probability of 30%, about 30 in 100 should have done it."],
        tables=[table],
        pictures=pictures,
    )


def _groups(recorded: Recorded, part: str | None, differences: pd.DataFrame | None) -> Section:
    text, points, tables = [], [], []
    if part is not None and (slices := slices_table(recorded.performance, part)) is not None:
        tables.append(slices)
    if differences is None:
        text.append(
            "No single predictions of the hold-out were kept, so that groups cannot be held against each other."
        )
    elif not len(differences):
        text.append(f"No demographic group has {MIN_ROWS} rows and {MIN_POSITIVES} positives, with as many beside it.")
    else:
        tables.append(fairness_table(differences))
        clear = differences[differences["is_clear"].astype(bool)]
        named = ", ".join(f"{row.group} ({str(row.dimension).replace('_', ' ')})" for row in clear.itertuples())
        text.append(
            "Opportunity: of those who did it, the share that the model would have picked if as many were picked as "
            "did it. Calibration: the rate observed less the probability said; above 0 the group is underrated. Where "
            "groups differ in their base rate, both cannot be equal at once."
        )
        points.append(
            f"Beyond noise, counting all {len(differences)} groups and both figures: {named}."
            if named
            else f"No difference is beyond noise, counting all {len(differences)} groups and both figures."
        )
        used = [name for name in recorded.dimensions if name in {feature.name for feature in recorded.features}]
        points.append(
            f"Features of this model: {', '.join(used)}."
            if used
            else "None of these groups is a feature of this model."
        )
    return Section("For whom it is how good", text=text, points=points, tables=tables)


def _promotion(recorded: Recorded) -> Section:
    if recorded.decisions is None:
        return Section("Promotion", text=["No decisions are kept in this warehouse: what was trained scores."])
    if not recorded.decisions:
        return Section("Promotion", text=["No decision about this version is on record."])
    columns = {
        "as_of_date": "Decided as of",
        "verdict": "Verdict",
        "challenger_version": "Challenger",
        "champion_version": "Champion then",
        "hold_out_from": "Hold-out from",
        "hold_out_through": "to",
        "decisions_taken": "Hold-outs used so far",
        "reason": "Why",
    }
    frame = pd.DataFrame(list(recorded.decisions))
    shown = frame[[name for name in columns if name in frame]].rename(columns=columns)
    shown = shown.apply(lambda values: [plain(value) for value in values])
    return Section("Promotion", tables=[as_table(shown, "Decisions of the promotion gate, newest first")])
