"""Charts as SVG for a page: drawn when the site is built, so that a page needs no script.

Colors are the style sheet's variables: the same drawing follows light, dark and print. Series differ in more than color
(a dash, a place, a word), and every chart says in words what it shows.
"""

from __future__ import annotations

import math
import re
from functools import cache
from typing import Any

import altair as alt
import vl_convert
from markupsafe import Markup, escape

from pages.ribbons import COLORS, LINE, laid_out

INK, DIM, GRID = "var(--ink)", "var(--dim)", "var(--line)"
BLUE, ORANGE, GREEN = "var(--c1)", "var(--c2)", "var(--c3)"
# Drawn for a phone's width; on a desktop the same drawing is shown larger.
WIDTH = 330
SYNTHETIC = "SYNTHETIC DATA"
# The Vega-Lite that Altair writes, of those that the converter knows.
_VERSION = ".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])

_CONFIG: dict[str, Any] = {
    "background": "transparent",
    "font": "sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": DIM,
        "titleColor": DIM,
        "gridColor": GRID,
        "domainColor": GRID,
        "tickColor": GRID,
        "labelFontSize": 10,
        "titleFontSize": 10,
        "titleFontWeight": "normal",
        "labelFlush": False,
    },
    "axisX": {"grid": False},
    "axisY": {"domain": False, "ticks": False},
    "legend": {"labelColor": INK, "titleColor": DIM, "labelFontSize": 10, "titleFontSize": 10, "orient": "top"},
    "title": {"color": "var(--badge)", "fontSize": 9, "fontWeight": "bold", "anchor": "end", "offset": 4},
}


_Chart = alt.Chart | alt.LayerChart | alt.FacetChart | alt.VConcatChart


def compiled(chart: _Chart, *, synthetic: bool = False) -> dict[str, Any]:
    """`chart`, whose data goes by names, as a Vega drawing that waits for its rows.

    Compiling takes longer than drawing, so that a chart of every segment is compiled once.
    """
    spec = chart.to_dict(validate=False)
    spec["config"] = _CONFIG
    if synthetic:
        spec["title"] = SYNTHETIC
    vega: dict[str, Any] = vl_convert.vegalite_to_vega(spec, vl_version=_VERSION)
    return vega


def drawn(vega: dict[str, Any], data: dict[str, list[dict[str, Any]]], says: str) -> Markup:
    """A drawing with its rows as SVG that scales with its place; `says` is read aloud in its stead."""
    filled = [{**one, "values": data[one["name"]]} if one["name"] in data else one for one in vega["data"]]
    svg = vl_convert.vega_to_svg({**vega, "data": filled})
    start = svg.index(">")
    opening = re.sub(r' (width|height)="[\d.]+"', "", svg[:start])
    # What stands in the drawing is one picture to a screen reader, with one text.
    inner = re.sub(r' (role|aria-roledescription|aria-label|aria-hidden)="[^"]*"', "", svg[start + 1 :])
    words = f"{says}. {SYNTHETIC.capitalize()}." if vega.get("title") else says
    return Markup(f'{opening} role="img"><title>{escape(words)}</title>{inner}')


def _rows(name: str) -> alt.NamedData:
    return alt.NamedData(name=name)


def membership(flows: list[dict[str, Any]], says: str, *, synthetic: bool) -> Markup:
    """Members over time, and below them who came and left; rows: day, members, entered, exited."""
    rows = [{**flow, "day": flow["day"].isoformat()} for flow in flows]
    moves = [
        {"day": row["day"], "count": sign * (row[name] or 0), "what": what}
        for row in rows
        for name, what, sign in (("entered", "came", 1), ("exited", "left", -1))
    ]
    return drawn(_membership(synthetic), {"flows": rows, "moves": moves}, says)


@cache
def _membership(synthetic: bool) -> dict[str, Any]:
    day = alt.X("day:T", title=None, axis=alt.Axis(format="%b %y", tickCount=5))
    size = (
        alt.Chart(_rows("flows"))
        .mark_line(color=BLUE, strokeWidth=2)
        .encode(x=day, y=alt.Y("members:Q", title="members", axis=alt.Axis(tickCount=4), scale=alt.Scale(zero=True)))
        .properties(width=WIDTH - 50, height=120)
    )
    change = (
        alt.Chart(_rows("moves"))
        .mark_bar(width=4)
        .encode(
            x=day,
            y=alt.Y("count:Q", title="came / left", axis=alt.Axis(tickCount=4)),
            color=alt.Color("what:N", title=None, scale=alt.Scale(domain=["came", "left"], range=[GREEN, ORANGE])),
        )
        .properties(width=WIDTH - 50, height=80)
    )
    both = alt.vconcat(size, change, spacing=10).resolve_legend(color="independent")
    return compiled(both, synthetic=synthetic)


def flow(moves: list[dict[str, Any]], says: str, *, synthetic: bool, is_narrow: bool = False) -> Markup:
    """Bands from a name on the left to a name on the right; rows: origin, target, customers.

    On a phone (`is_narrow`) names lie on the bands, as beside them there is no room.
    """
    laid = laid_out(moves, height=330, columns=22 if is_narrow else 32)
    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[0, 1], nice=False))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[-laid.depth, 0], nice=False))
    colors = alt.Scale(domain=list(range(COLORS)), range=[f"var(--c{place})" for place in range(1, COLORS + 1)])
    bands = (
        alt.Chart(_rows("points"))
        .mark_area(opacity=0.4 if is_narrow else 0.55)
        .encode(x=x, y=y, y2="y2:Q", detail="band:N", color=alt.Color("color:N", legend=None, scale=colors))
    )
    blocks = alt.Chart(_rows("blocks")).mark_rule(color=INK, strokeWidth=4).encode(x=x, y=y, y2="y2:Q")
    # The first line is where a text is put: those below it are to lie as far below the middle as it above.
    rise = alt.expr(f"{-LINE / 2} * (datum.lines - 1)")
    text: dict[str, Any] = {"fontSize": 11, "color": INK, "limit": 0, "lineBreak": "\n", "lineHeight": LINE, "dy": rise}
    # Beside the blocks, or from them inwards.
    origins, targets = alt.Chart(_rows("origins")), alt.Chart(_rows("targets"))
    before, after = (origins, targets) if not is_narrow else (targets, origins)
    marks = (before.mark_text(align="right", dx=-8, **text), after.mark_text(align="left", dx=8, **text))
    labels = [one.encode(x=x, y=y, text="label:N") for one in marks]
    # The browser's letters may be wider than those that the drawing was measured with.
    side = 4 if is_narrow else 30
    chart = alt.layer(bands, blocks, *labels).properties(
        width=WIDTH - 2 * side if is_narrow else 380,
        height=math.ceil(laid.depth),
        padding={"left": side, "right": side, "top": 4, "bottom": 4},
    )
    data = {name: getattr(laid, name) for name in ("points", "blocks", "origins", "targets")}
    return drawn(compiled(chart, synthetic=synthetic), data, says)


def histogram(bins: list[dict[str, Any]], says: str, *, x: str, y: str, synthetic: bool = False) -> Markup:
    """Bars side by side; rows: low, high, count."""
    chart = (
        alt.Chart(_rows("bins"))
        .mark_bar(color=BLUE, stroke="var(--card)", strokeWidth=1)
        .encode(
            x=alt.X("low:Q", title=x, axis=alt.Axis(tickCount=5, format="~s"), bin=alt.BinParams(binned=True)),
            x2="high:Q",
            y=alt.Y("count:Q", title=y, axis=alt.Axis(tickCount=4)),
        )
        .properties(width=WIDTH - 50, height=150)
    )
    return drawn(compiled(chart, synthetic=synthetic), {"bins": bins}, says)


def calibration(points: list[dict[str, Any]], says: str, *, synthetic: bool = False) -> Markup:
    """What a model said against what came true, with its interval; rows: said, came, low, high (0 to 1)."""
    # Who rarely does it would else lie in a corner.
    most = max(point[name] or 0 for point in points for name in ("said", "came", "high"))
    end = min(1.0, math.ceil(10 * most) / 10)
    scale = alt.Scale(domain=[0, end], nice=False)
    axis = alt.Axis(format="%", tickCount=5)
    said = alt.X("said:Q", title="the model said", axis=axis, scale=scale)
    came = alt.Y("came:Q", title="came true", axis=axis, scale=scale)
    line = alt.Chart(_rows("diagonal")).mark_line(color=DIM, strokeDash=[4, 3], strokeWidth=1)
    diagonal = line.encode(x=said, y=came)
    base = alt.Chart(_rows("points"))
    spread = base.mark_rule(color=BLUE).encode(x=said, y=alt.Y("low:Q", scale=scale), y2="high:Q")
    dots = base.mark_circle(color=BLUE, size=36, opacity=1).encode(x=said, y=came)
    chart = alt.layer(diagonal, spread, dots).properties(width=210, height=190)
    ends: list[dict[str, Any]] = [{"said": 0, "came": 0}, {"said": end, "came": end}]
    return drawn(compiled(chart, synthetic=synthetic), {"diagonal": ends, "points": points}, says)


def gains(points: list[dict[str, Any]], says: str, *, outcome: str, synthetic: bool = False) -> Markup:
    """Of all who do it, how many are among the highest scores; rows: contacted, recall (0 to 1)."""
    axis = alt.Axis(format="%", tickCount=5)
    scale = alt.Scale(domain=[0, 1])
    x = alt.X("contacted:Q", title="highest scores contacted", axis=axis, scale=scale)
    y = alt.Y("recall:Q", title=outcome, axis=axis, scale=scale)
    chance = [{"contacted": 0, "recall": 0}, {"contacted": 1, "recall": 1}]
    line = alt.Chart(_rows("chance")).mark_line(color=DIM, strokeDash=[4, 3], strokeWidth=1).encode(x=x, y=y)
    curve = (
        alt.Chart(_rows("points"))
        .mark_line(color=BLUE, strokeWidth=2, point=alt.OverlayMarkDef(size=12, color=BLUE))
        .encode(x=x, y=y)
    )
    chart = alt.layer(line, curve).properties(width=210, height=190)
    return drawn(compiled(chart, synthetic=synthetic), {"chance": chance, "points": [chance[0], *points]}, says)


def cuts(points: list[dict[str, Any]], goals: list[dict[str, Any]], says: str, *, synthetic: bool = False) -> Markup:
    """Precision and recall by how many are contacted; rows: contacted, share, what; goals: contacted, goal."""
    beside = alt.Legend(title=None, direction="vertical", columns=1)
    lines = (
        alt.Chart(_rows("points"))
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X("contacted:Q", title="customers contacted now", axis=alt.Axis(tickCount=5)),
            y=alt.Y("share:Q", title=None, axis=alt.Axis(format="%", tickCount=5), scale=alt.Scale(domain=[0, 1])),
            color=alt.Color("what:N", legend=beside, scale=alt.Scale(range=[BLUE, ORANGE])),
            strokeDash=alt.StrokeDash("what:N", legend=beside),
        )
    )
    marks = alt.Chart(_rows("goals"))
    rules = marks.mark_rule(color=DIM, strokeDash=[2, 2]).encode(x="contacted:Q")
    labels = marks.mark_text(align="left", dx=3, fontSize=10, color=INK, baseline="bottom").encode(
        x="contacted:Q", y="place:Q", text="goal:N"
    )
    layers = [lines, rules, labels] if goals else [lines]
    chart = alt.layer(*layers).properties(width=WIDTH - 40, height=180)
    return drawn(compiled(chart, synthetic=synthetic), {"points": points, "goals": goals}, says)
