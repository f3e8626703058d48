"""Pictures of cluster segments as PNG bytes: map, profiles, one card a cluster, migrations."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.clusters.cards import SLICING, Cards
from ml.clusters.lineage import key_order
from ml.clusters.model import Segmentation
from ml.clusters.words import Words, shipped_words
from ml.plots import COLORS, _axes, _png

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = npt.NDArray[np.float64]

MAP_ROWS = 4_000
CARD_TRAITS = 8
MORE, LESS = COLORS[0], COLORS[1]


def cluster_plots(
    segmentation: Segmentation, cards: Cards, matrices: pd.DataFrame, words: Words | None = None
) -> dict[str, bytes]:
    """All pictures of a run: ``map``, ``profiles``, ``comparison``, ``migration`` and ``card_<key>``."""
    from ml.clusters.comparison_plot import comparison_plot

    words = words or shipped_words()
    model, names = segmentation.model, segmentation.names
    found: dict[str, bytes] = {}
    if len(model.broad_keys) > 1:
        found["map"] = cluster_map(positions(model.prepare(segmentation.rows), segmentation.divided), names)
        found["profiles"] = profiles_plot(cards.profiles[cards.profiles["level"] == "broad"], words)
    selection = model.selection[model.selection["level"] == "broad"]
    if len(selection):
        found["comparison"] = comparison_plot(selection, int(model.facts["floor"]))
    if len(matrices):
        found["migration"] = migration_plot(matrices)
    for _, cluster in cards.clusters.iterrows():
        key = str(cluster["cluster_key"])
        found[f"card_{key}"] = card_plot(cluster, cards.profiles[cards.profiles["cluster_key"] == key], words)
    return found


def positions(prepared: Floats, divided: pd.DataFrame) -> pd.DataFrame:
    """Customers on the plane of the two directions in which they differ most: cluster_key, x, y."""
    centered = prepared - prepared.mean(axis=0)
    _, directions = np.linalg.eigh(centered.T @ centered)
    plane = directions[:, ::-1][:, :2]
    # the sign of an eigenvector is arbitrary: its largest entry is made positive
    plane = plane * np.sign(plane[np.abs(plane).argmax(axis=0), range(plane.shape[1])])
    places = np.column_stack([centered @ plane, np.zeros(len(centered))])[:, :2]
    return pd.DataFrame({"cluster_key": divided["broad_key"].to_numpy(), "x": places[:, 0], "y": places[:, 1]})


def cluster_map(places: pd.DataFrame, names: Mapping[str, str]) -> bytes:
    """Customers near each other are alike; colored by cluster.

    Parameters
    ----------
    places : DataFrame with cluster_key, x, y; at most `MAP_ROWS` rows of it are drawn, evenly spaced
    names : cluster key to name
    """
    shown = places.iloc[:: len(places) // MAP_ROWS + 1] if len(places) > MAP_ROWS else places
    keys = sorted(places["cluster_key"].unique(), key=key_order)
    figure, axes = _axes(8.4, 6.2)
    for number, key in enumerate(keys):
        members = shown[shown["cluster_key"] == key]
        axes.scatter(members["x"], members["y"], s=8, alpha=0.45, linewidths=0, color=COLORS[number % len(COLORS)])
    for number, key in enumerate(keys):
        members = places[places["cluster_key"] == key]
        axes.annotate(
            key,
            (members["x"].median(), members["y"].median()),
            ha="center",
            va="center",
            fontsize=11,
            fontweight="bold",
            color="white",
            bbox={"boxstyle": "circle,pad=0.3", "color": COLORS[number % len(COLORS)], "alpha": 0.95},
        )
        axes.scatter([], [], s=36, color=COLORS[number % len(COLORS)], label=f"{key}  {names[key]}")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=2, frameon=False, fontsize=9)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.set_title("Customers by how they shop: near each other = alike", fontsize=11, loc="left")
    return _png(figure)


def profiles_plot(profiles: pd.DataFrame, words: Words) -> bytes:
    """Heat map of effect sizes, one column a cluster; the figures in the cells are the members' means.

    Parameters
    ----------
    profiles : DataFrame with cluster_key, cluster_name, member_count, feature, cluster_mean, effect_size
    """
    keys = sorted(profiles["cluster_key"].unique(), key=key_order)
    features = list(dict.fromkeys(profiles["feature"]))
    effects, means = (
        profiles.pivot(index="feature", columns="cluster_key", values=figure).loc[features, keys].to_numpy(float)
        for figure in ("effect_size", "cluster_mean")
    )
    heads = profiles.drop_duplicates("cluster_key").set_index("cluster_key")
    figure, axes = _axes(3.6 + 1.35 * len(keys), 1.9 + 0.42 * len(features))
    limit = max(1.0, float(np.abs(effects).max()))
    image = axes.imshow(effects, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
    for row, feature in enumerate(features):
        for column in range(len(keys)):
            is_dark = abs(effects[row, column]) > 0.6 * limit
            text = _figure_text(means[row, column], words.trait(feature).kind)
            axes.text(column, row, text, ha="center", va="center", fontsize=9, color="white" if is_dark else "black")
    titles = [f"{key}  {heads.loc[key, 'cluster_name']}" for key in keys]
    counts = [f"{heads.loc[key, 'member_count']:,}" for key in keys]
    labels = [f"{_wrapped(title, 17)}\n({count})" for title, count in zip(titles, counts, strict=True)]
    axes.set_xticks(range(len(keys)), labels, fontsize=8.5)
    axes.set_yticks(range(len(features)), [_capital(words.trait(feature).label) for feature in features], fontsize=9)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(image, ax=axes, fraction=0.035, pad=0.02)
    bar.set_label("difference from all others, standard deviations", fontsize=9)
    bar.outline.set_visible(False)
    axes.set_xlabel("Cells: mean of the members. Color: how unusual that is.", fontsize=9)
    return _png(figure)


def card_plot(cluster: pd.Series, profile: pd.DataFrame, words: Words) -> bytes:
    """One card: how members differ from the others, the strongest differences on top, with both means beside.

    Parameters
    ----------
    cluster : a row of `Cards.clusters`
    profile : the rows of `Cards.profiles` of this cluster
    """
    order = profile["effect_size"].abs().sort_values(ascending=False, kind="stable").index[:CARD_TRAITS]
    shown = profile.loc[order].iloc[::-1]
    effects = shown["effect_size"].to_numpy(dtype=np.float64)
    figure, axes = _axes(8.2, 1.5 + 0.36 * len(shown))
    axes.barh(range(len(shown)), effects, color=np.where(effects > 0, MORE, LESS), height=0.62)
    axes.axvline(0, color="#444444", linewidth=0.8)
    limit = max(1.0, 1.05 * float(np.abs(effects).max()))
    others = "siblings" if cluster["level"] == "micro" else "others"
    for place, row in enumerate(shown.itertuples()):
        kind = words.trait(str(row.feature)).kind
        own, rest = (_figure_text(float(value), kind) for value in (row.cluster_mean, row.others_mean))  # type: ignore[arg-type]
        axes.text(1.06 * limit, place, f"{own}   {others} {rest}", va="center", fontsize=9)
    axes.set_xlim(-limit, limit)
    axes.set_yticks(
        range(len(shown)), [_capital(words.trait(str(feature)).label) for feature in shown["feature"]], fontsize=9
    )
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(f"difference from {others}, standard deviations", fontsize=9)
    size = f"{cluster['member_count']:,} customers ({cluster['customer_share']:.0%})"
    told = f"{size}, {cluster['spend_share']:.0%} of the spend of 13 weeks"
    note = "" if cluster["is_natural"] else f". {SLICING}"
    title = _wrapped(f"{cluster['cluster_key']}  {cluster['cluster_name']}", 70)
    axes.set_title(f"{title}\n", fontsize=12, loc="left", fontweight="bold")
    axes.text(0, 1.02, f"{told}{note}", transform=axes.transAxes, fontsize=9, color="#444444")
    return _png(figure)


def migration_plot(matrices: pd.DataFrame) -> bytes:
    """Broad clusters: who moved because customers changed, and who because the definition did.

    Parameters
    ----------
    matrices : DataFrame with `ml.clusters.migration.COLUMNS`; the longest span and the newest refit are drawn
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    broad = matrices[matrices["level"] == "broad"]
    drawn = [part for kind in ("population", "definition") if len(part := _longest(broad[broad["kind"] == kind]))]
    rows = max(part["from_key"].nunique(dropna=False) for part in drawn)
    columns = max(part["to_key"].nunique(dropna=False) for part in drawn)
    size = (1.6 + len(drawn) * (1.6 + 0.75 * columns), 2.2 + 0.5 * rows)
    figure = Figure(figsize=(max(size[0], 6.5), size[1]), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    for axes, part in zip(figure.subplots(1, len(drawn), squeeze=False)[0], drawn, strict=True):
        _matrix(axes, part)
    figure.supxlabel("Cells: customers. Color: share of those who were in the row's cluster.", fontsize=9)
    return _png(figure)


def _longest(part: pd.DataFrame) -> pd.DataFrame:
    """The matrix over the longest span."""
    if part.empty:
        return part
    span = pd.to_datetime(part["to_as_of_date"]) - pd.to_datetime(part["from_as_of_date"])
    return part[span == span.max()]


def _matrix(axes: "Axes", part: pd.DataFrame) -> None:
    rows, columns = (_keys_in_order(part[name]) for name in ("from_key", "to_key"))
    counts = np.zeros((len(rows), len(columns)), dtype=np.int64)
    for old, new, count in zip(part["from_key"], part["to_key"], part["customer_count"].astype(int), strict=True):
        counts[rows.index(_key(old)), columns.index(_key(new))] = count
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row in range(len(rows)):
        for column in range(len(columns)):
            if counts[row, column]:
                color = "white" if shares[row, column] > 0.6 else "black"
                text = f"{counts[row, column]:,}"
                axes.text(column, row, text, ha="center", va="center", fontsize=9, color=color)
    axes.set_xticks(range(len(columns)), [key or "gone" for key in columns], fontsize=9)
    axes.set_yticks(range(len(rows)), [key or "new" for key in rows], fontsize=9)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    first = part.iloc[0]
    if first["kind"] == "population":
        title = "Customers changed (one model)"
        before, after = f"cluster at {first['from_as_of_date']}", f"cluster at {first['to_as_of_date']}"
    else:
        title = f"The definition changed (customers of {first['to_as_of_date']})"
        before, after = "cluster by the model before", "cluster by the model that holds"
    axes.set_title(title, fontsize=11, loc="left")
    axes.set_ylabel(before, fontsize=9)
    axes.set_xlabel(after, fontsize=9)


def _key(value: object) -> str | None:
    return None if value is None or pd.isna(value) else str(value)  # type: ignore[call-overload]


def _keys_in_order(values: pd.Series) -> Sequence[str | None]:
    """Keys, and at the end None for who was not there."""
    keys = {_key(value) for value in values}
    known = sorted((key for key in keys if key is not None), key=key_order)
    return [*known, *([None] if None in keys else [])]


def _figure_text(value: float, kind: str) -> str:
    if kind == "percent":
        return f"{value:.0%}"
    if abs(value) < 1:
        return f"{value:.2f}"
    return f"{value:.1f}" if abs(value) < 100 else f"{value:,.0f}"


def _wrapped(text: str, width: int) -> str:
    return textwrap.fill(text, width, break_on_hyphens=False)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
