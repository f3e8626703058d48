"""Where the bands of a flow lie: names on two sides, and between them a band as thick as its customers are many."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap
from typing import Any

STEPS = 20
COLORS = 6
# Height of a line of a label, and the least that lies between two blocks.
LINE, GAP = 13.0, 8.0

Move = dict[str, Any]


@dataclass(frozen=True)
class Ribbons:
    """Rows to draw: outlines of bands, blocks at their ends, labels beside the blocks; down to `depth` pixels."""

    points: list[dict[str, Any]]
    blocks: list[dict[str, Any]]
    origins: list[dict[str, Any]]
    targets: list[dict[str, Any]]
    depth: float


def laid_out(moves: list[Move], *, height: float, columns: int) -> Ribbons:
    """The layout of `moves` (origin, target, customers): the largest on top, on both sides.

    Parameters
    ----------
    moves : rows with origin, target, customers
    height : of all bands of a side together; gaps and labels that are higher than their band come on top
    columns : letters of a label's line; a longer name has more lines and loses none of its words
    """
    unit = height / sum(move["customers"] for move in moves)
    blocks: list[dict[str, Any]] = []
    origins, from_top = _side(moves, "origin", 0, unit, columns, blocks)
    targets, to_top = _side(moves, "target", 1, unit, columns, blocks)
    colors = {name: place % COLORS for place, name in enumerate(from_top)}
    # On each side the bands of a name lie in the order of the names on the other side: so they cross least.
    leaving = sorted(moves, key=lambda move: (from_top[move["origin"]], to_top[move["target"]]))
    arriving = sorted(moves, key=lambda move: (to_top[move["target"]], from_top[move["origin"]]))
    starts, ends = _stacked(leaving, "origin", from_top, unit), _stacked(arriving, "target", to_top, unit)
    points = []
    for band, move in enumerate(leaving):
        pair = (move["origin"], move["target"])
        for step in range(STEPS + 1):
            way = step / STEPS
            top = -(starts[pair] + (ends[pair] - starts[pair]) * (3 * way**2 - 2 * way**3))
            points.append(
                {
                    "x": way,
                    "y": top,
                    "y2": top - unit * move["customers"],
                    "band": band,
                    "color": colors[move["origin"]],
                }
            )
    return Ribbons(
        points, blocks, origins, targets, max((-label["low"] for label in (*origins, *targets)), default=0.0)
    )


def _side(
    moves: list[Move], side: str, x: int, unit: float, columns: int, blocks: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """Labels of a side, and how far from the top each name begins; adds its blocks."""
    sums: dict[str, int] = {}
    for move in moves:
        sums[move[side]] = sums.get(move[side], 0) + move["customers"]
    labels: list[dict[str, Any]] = []
    tops: dict[str, float] = {}
    at = 0.0
    for name, customers in sorted(sums.items(), key=lambda pair: (-pair[1], pair[0])):
        # The figure stays with the last word of the name.
        lines = wrap(f"{name}\N{NO-BREAK SPACE}{customers:,}", columns, break_on_hyphens=False)
        thick, room = unit * customers, LINE * len(lines)
        tops[name] = at + max(room - thick, 0) / 2
        middle, at = at + max(thick, room) / 2, at + max(thick, room)
        labels.append({"x": x, "y": -middle, "label": "\n".join(lines), "lines": len(lines), "low": -at})
        blocks.append({"x": x, "y": -tops[name], "y2": -(tops[name] + thick)})
        at += GAP
    return labels, tops


def _stacked(moves: list[Move], side: str, tops: dict[str, float], unit: float) -> dict[tuple[str, str], float]:
    used = dict(tops)
    found: dict[tuple[str, str], float] = {}
    for move in moves:
        found[move["origin"], move["target"]] = used[move[side]]
        used[move[side]] += unit * move["customers"]
    return found
