"""What a theme gives to the site: a file, a title, a template and what it says."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Page:
    """One page; `section` is the entry of the navigation that it stands under, its own file where it is one."""

    file: str
    title: str
    template: str
    context: dict[str, Any] = field(default_factory=dict)
    section: str = ""


def segment_file(segment_key: str) -> str:
    """The file of a segment's page: cluster_2.1 -> segment-cluster_2-1.html."""
    return f"segment-{re.sub(r'[^A-Za-z0-9_]+', '-', segment_key)}.html"
