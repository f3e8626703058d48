"""Where the bands of a flow lie: names on two sides, and between them a band as thick as its customers are many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

GAP_SHARE = 0.03
STEPS = 20
COLORS = 6
LONGEST_NAME = 34

Move = dict[str, Any]


@dataclass(frozen=True)
class Ribbons:
    """Rows to draw: outlines of bands, blocks at their ends, labels beside the blocks; down to `depth`."""

    points: list[dict[str, Any]]
    blocks: list[dict[str, Any]]
    origins: list[dict[str, Any]]
    targets: list[dict[str, Any]]
    depth: float


def laid_out(moves: list[Move]) -> Ribbons:
    """The layout of `moves` (origin, target, customers): the largest on top, on both sides."""
    gap = GAP_SHARE * sum(move["customers"] for move in moves)
    blocks: list[dict[str, Any]] = []
    origins, from_top = _side(moves, "origin", 0, gap, blocks)
    targets, to_top = _side(moves, "target", 1, gap, blocks)
    colors = {name: place % COLORS for place, name in enumerate(from_top)}
    # On each side the bands of a name lie in the order of the names on the other side: so they cross least.
    leaving = sorted(moves, key=lambda move: (from_top[move["origin"]], to_top[move["target"]]))
    arriving = sorted(moves, key=lambda move: (to_top[move["target"]], from_top[move["origin"]]))
    starts, ends = _stacked(leaving, "origin", from_top), _stacked(arriving, "target", to_top)
    points = []
    for band, move in enumerate(leaving):
        pair = (move["origin"], move["target"])
        for step in range(STEPS + 1):
            way = step / STEPS
            top = -(starts[pair] + (ends[pair] - starts[pair]) * (3 * way**2 - 2 * way**3))
            points.append(
                {"x": way, "y": top, "y2": top - move["customers"], "band": band, "color": colors[move["origin"]]}
            )
    return Ribbons(points, blocks, origins, targets, max((-block["y2"] for block in blocks), default=0.0))


def _side(
    moves: list[Move], side: str, x: int, gap: float, blocks: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """Labels of a side, and how far from the top each name begins; adds its blocks."""
    sums: dict[str, int] = {}
    for move in moves:
        sums[move[side]] = sums.get(move[side], 0) + move["customers"]
    labels: list[dict[str, Any]] = []
    tops: dict[str, float] = {}
    at = 0.0
    for name, customers in sorted(sums.items(), key=lambda pair: (-pair[1], pair[0])):
        tops[name] = at
        labels.append({"x": x, "y": -(at + customers / 2), "label": f"{_short(name)}  {customers:,}"})
        blocks.append({"x": x, "y": -at, "y2": -(at + customers)})
        at += customers + gap
    return labels, tops


def _stacked(moves: list[Move], side: str, tops: dict[str, float]) -> dict[tuple[str, str], float]:
    used = dict(tops)
    found: dict[tuple[str, str], float] = {}
    for move in moves:
        found[move["origin"], move["target"]] = used[move[side]]
        used[move[side]] += move["customers"]
    return found


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"
