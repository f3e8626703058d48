"""What the Python assets show in Dagster beside figures: pictures and tables, within Markdown."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:  # every dbt command loads this package, and pandas takes as long as all of its rest
    import pandas as pd


def images(plots: Mapping[str, bytes]) -> dict[str, dg.MetadataValue[Any]]:
    """Plots as Dagster shows them: pictures within Markdown, no file and no server needed."""
    return {
        f"plot_{name}": dg.MetadataValue.md(f"![{name}](data:image/png;base64,{base64.b64encode(png).decode()})")
        for name, png in plots.items()
    }


def markdown_table(frame: pd.DataFrame) -> str:
    """A frame as a table of Markdown, without its index."""
    header = "| " + " | ".join(frame.columns) + " |\n| " + " | ".join("---" for _ in frame.columns) + " |\n"
    return header + "\n".join("| " + " | ".join(map(str, row)) + " |" for row in frame.itertuples(index=False))


def column_origins(origins: Mapping[str, Sequence[dg.TableColumnDep]]) -> dict[str, Any]:
    """Where columns come from: as Dagster keeps it, and, because its open edition shows that nowhere, to be read."""
    lines = [
        f"| {column} | {', '.join(f'{dep.asset_key.path[-1]}.{dep.column_name}' for dep in deps) or '—'} |"
        for column, deps in origins.items()
    ]
    return {
        "dagster/column_lineage": dg.TableColumnLineage(deps_by_column=origins),
        "columns_come_from": dg.MetadataValue.md("\n".join(["| column | comes from |", "| --- | --- |", *lines])),
    }
