"""How far a rule reaches, whom else it reaches, and how two thresholds of it differ."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.backtest.comparison import levels
from ml.backtest.rows import Rows, keyed, marked
from ml.resampling import draws

Mask = npt.NDArray[np.bool_]
PARTS = ("both", "only in A", "only in B", "neither")


def reach(rows: Rows) -> pd.DataFrame:
    """One row a date: as_of_date, customers, members, share, entries, exits; the first date has no entries or exits.

    A customer enters who is a member now and was not at the date before, however long ago that is.
    """
    frame = rows.frame
    found = frame.groupby("as_of_date").agg(customers=("is_member", "size"), members=("is_member", "sum")).reset_index()
    found["share"] = found["members"] / found["customers"]
    codes, _ = pd.factorize(frame["customer_id"], sort=True)
    entries: list[float] = []
    exits: list[float] = []
    before: npt.NDArray[np.intp] | None = None
    for date in range(len(found)):
        now = codes[(rows.dates == date) & frame["is_member"].to_numpy()]
        stayed = len(np.intersect1d(now, before, assume_unique=True)) if before is not None else 0
        entries.append(np.nan if before is None else len(now) - stayed)
        exits.append(np.nan if before is None else len(before) - stayed)
        before = now
    return found.assign(entries=entries, exits=exits)


def overlap(rows: Rows, others: pd.DataFrame | None) -> pd.DataFrame:
    """One row another segment: how much of the two is the same, over all dates together.

    Parameters
    ----------
    others : DataFrame with segment, customer_id, as_of_date; None for no overlap

    Returns
    -------
    DataFrame with segment, members (rows of it), both, share_of_members, share_of_segment, jaccard, lift (how many
    times as often a member is in it as anybody is); the largest overlap first.
    """
    columns = ["segment", "members", "both", "share_of_members", "share_of_segment", "jaccard", "lift"]
    if others is None or others.empty:
        return pd.DataFrame(columns=columns)
    member = rows.frame["is_member"].to_numpy()
    found = []
    for segment, own in others.groupby("segment"):
        in_it, _ = marked(rows.frame, own)
        both, size, mine = int((in_it & member).sum()), int(in_it.sum()), int(member.sum())
        either = size + mine - both
        found.append(
            {
                "segment": segment,
                "members": size,
                "both": both,
                "share_of_members": both / mine if mine else np.nan,
                "share_of_segment": both / size if size else np.nan,
                "jaccard": both / either if either else np.nan,
                "lift": both * len(member) / (mine * size) if mine and size else np.nan,
            }
        )
    return (
        pd.DataFrame(found, columns=columns)
        .sort_values(["jaccard", "segment"], ascending=[False, True])
        .reset_index(drop=True)
    )


def thresholds(rows: Rows, other: pd.DataFrame) -> pd.DataFrame:
    """How the members (A) differ from another member set (B), over all dates together.

    Returns
    -------
    DataFrame with one row for A, B and each of `PARTS`: part, rows, share, rows_observed, and purchase_rate and spend
    with 95% intervals, customers drawn.
    """
    in_a = rows.frame["is_member"].to_numpy()
    in_b, _ = marked(rows.frame, other)
    groups: Mapping[str, Mask] = {
        "A": in_a,
        "B": in_b,
        **dict(zip(PARTS, (in_a & in_b, in_a & ~in_b, ~in_a & in_b, ~in_a & ~in_b), strict=True)),
    }
    observed = rows.frame["is_observed"].to_numpy()
    times = draws(int(rows.blocks.max(initial=-1)) + 1)
    table = pd.DataFrame(
        {
            "part": list(groups),
            "rows": [int(group.sum()) for group in groups.values()],
            "share": [float(group.mean()) if len(group) else np.nan for group in groups.values()],
            "rows_observed": [int((group & observed).sum()) for group in groups.values()],
        }
    )
    for column, name in (("has_purchased", "purchase_rate"), ("spend", "spend")):
        found = levels(rows.frame[column].to_numpy(), [group & observed for group in groups.values()], rows, times)
        table[[name, f"{name}_low", f"{name}_high"]] = np.array(found)
    return table


def threshold_reach(rows: Rows, other: pd.DataFrame) -> pd.DataFrame:
    """One row a date: as_of_date, A, B, both, only_in_A, only_in_B."""
    in_a = rows.frame["is_member"].to_numpy()
    in_b, _ = marked(rows.frame, keyed(other, "the other members"))
    parts = {"A": in_a, "B": in_b, "both": in_a & in_b, "only_in_A": in_a & ~in_b, "only_in_B": ~in_a & in_b}
    found = pd.DataFrame(parts).groupby(rows.frame["as_of_date"].to_numpy()).sum()
    return found.rename_axis("as_of_date").reset_index()
