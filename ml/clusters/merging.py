"""Pairs of segments that may as well be one: nearly the same members, or members who behave alike afterwards.

Alike is shown, not assumed: two one-sided tests (Schuirmann 1987) that the difference lies within stated bounds, for
the share that bought and for the spend, both needed; Holm's correction (1979) for the number of pairs. A small pair is
never proposed for being small.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from ml.clusters.lineage import key_order

COLUMNS = ("level", "left_key", "right_key", "reason", "shared_share", "left_members", "right_members",
           "left_purchase_rate", "right_purchase_rate", "purchase_rate_difference", "left_spend", "right_spend",
           "spend_difference", "spend_bound", "p_value", "is_proposed", "evidence")  # fmt: skip


@dataclass(frozen=True)
class Alike:
    """What counts as the same.

    Attributes
    ----------
    max_shared : float
        Pairs that share more of the larger one's members are proposed.
    purchase_rate : float
        Bound of the difference of the shares that bought.
    spend : float
        Bound of the difference of the mean spend, as a share of all customers' mean spend.
    level : float
        Chance that any pair of a run is proposed whose difference lies on a bound.
    """

    max_shared: float = 0.8
    purchase_rate: float = 0.05
    spend: float = 0.1
    level: float = 0.05


def overlapping(memberships: pd.DataFrame, most: float = 0.8) -> pd.DataFrame:
    """Pairs of segments of any kind that share more than `most` of the larger one's members.

    Parameters
    ----------
    memberships : DataFrame with customer_id and segment_key, one row a membership

    Returns
    -------
    DataFrame with left_key, right_key, left_members, right_members, shared_members, shared_share
    """
    members = {str(key): set(part) for key, part in memberships.groupby("segment_key")["customer_id"]}
    rows = []
    for left, right in combinations(sorted(members), 2):
        shared = len(members[left] & members[right])
        share = shared / max(len(members[left]), len(members[right]))
        if share > most:
            rows.append((left, right, len(members[left]), len(members[right]), shared, round(share, 6)))
    columns = ["left_key", "right_key", "left_members", "right_members", "shared_members", "shared_share"]
    return pd.DataFrame(rows, columns=columns)


def merge_proposals(divided: pd.DataFrame, outcomes: pd.DataFrame, alike: Alike | None = None) -> pd.DataFrame:
    """Every pair of clusters that could be one, with the evidence; `is_proposed` where it suffices.

    Pairs are all broad clusters, the micro-segments of one parent, and each micro-segment with its parent.

    Parameters
    ----------
    divided : DataFrame with customer_id, broad_key, micro_key at a date
    outcomes : DataFrame with customer_id, has_purchased (0 or 1) and spend in a window that begins at that date
    """
    alike = alike or Alike()
    known = outcomes[["customer_id", "has_purchased", "spend"]].astype({"has_purchased": float, "spend": float})
    joined = divided.merge(known, on="customer_id", how="left")
    bound = alike.spend * float(joined["spend"].mean())
    rows = [
        _pair("broad", joined, "broad_key", pair, alike, bound) for pair in combinations(_keys(joined["broad_key"]), 2)
    ]
    for parent in _keys(joined["broad_key"]):
        within = joined[joined["broad_key"] == parent]
        children = _keys(within["micro_key"])
        rows += [_pair("micro", within, "micro_key", pair, alike, bound) for pair in combinations(children, 2)]
        rows += [_with_parent(within, parent, child, alike) for child in children]
    found = pd.DataFrame(rows, columns=list(COLUMNS))
    tested = found["p_value"].notna()
    found.loc[tested, "p_value"] = _holm(found.loc[tested, "p_value"].to_numpy(dtype=np.float64)).round(6)
    found["is_proposed"] |= tested & (found["p_value"] <= alike.level)
    return found


def _keys(values: pd.Series) -> list[str]:
    return sorted(values.dropna().unique(), key=key_order)


def _pair(
    level: str, joined: pd.DataFrame, column: str, keys: Sequence[str], alike: Alike, bound: float
) -> dict[str, object]:
    left, right = (joined[joined[column] == key] for key in keys)
    bought = [part["has_purchased"].dropna().to_numpy() for part in (left, right)]
    spent = [part["spend"].dropna().to_numpy() for part in (left, right)]
    p_value, told = float("nan"), "no outcome is known yet"
    if all(len(part) > 1 for part in bought) and bound > 0:
        p_value = max(_equivalence(bought[0], bought[1], alike.purchase_rate), _equivalence(spent[0], spent[1], bound))
        told = (
            f"{bought[0].mean():.1%} and {bought[1].mean():.1%} bought, spend {spent[0].mean():,.2f} and "
            f"{spent[1].mean():,.2f}; alike means within {alike.purchase_rate:.0%} and {bound:,.2f}"
        )
    means = [float(part.mean()) if len(part) else float("nan") for part in (*bought, *spent)]
    return {
        "level": level,
        "left_key": keys[0],
        "right_key": keys[1],
        "reason": "behave alike afterwards",
        "shared_share": 0.0,
        "left_members": len(left),
        "right_members": len(right),
        "left_purchase_rate": round(means[0], 6),
        "right_purchase_rate": round(means[1], 6),
        "purchase_rate_difference": round(means[0] - means[1], 6),
        "left_spend": round(means[2], 6),
        "right_spend": round(means[3], 6),
        "spend_difference": round(means[2] - means[3], 6),
        "spend_bound": round(bound, 6),
        "p_value": p_value,
        "is_proposed": False,
        "evidence": told,
    }


def _with_parent(within: pd.DataFrame, parent: str, child: str, alike: Alike) -> dict[str, object]:
    members = int((within["micro_key"] == child).sum())
    share = members / len(within)
    return {
        "level": "micro",
        "left_key": parent,
        "right_key": child,
        "reason": "share their members",
        "shared_share": round(share, 6),
        "left_members": len(within),
        "right_members": members,
        "p_value": float("nan"),
        "is_proposed": share > alike.max_shared,
        "evidence": f"{share:.0%} of {parent} are in {child}; the same means more than {alike.max_shared:.0%}",
    }


def _equivalence(left: npt.NDArray[np.float64], right: npt.NDArray[np.float64], bound: float) -> float:
    """The larger p-value of two one-sided tests that the means differ by less than `bound` (Welch's error)."""
    difference = float(left.mean() - right.mean())
    error = float(np.sqrt(left.var(ddof=1) / len(left) + right.var(ddof=1) / len(right)))
    if error == 0:
        return 0.0 if abs(difference) < bound else 1.0
    return float(max(norm.sf((difference + bound) / error), norm.cdf((difference - bound) / error)))


def _holm(p_values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """P-values corrected for their number; step by step, the smallest first."""
    order = np.argsort(p_values, kind="stable")
    stepped = np.maximum.accumulate(p_values[order] * (len(p_values) - np.arange(len(p_values))))
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(stepped, 1.0)
    return corrected
