"""What is kept for testing only: bot families, dirt recipes and a seed that detection and cleaning were not built on.

Nobody who changes bot detection or contact cleaning looks in here, neither at the code nor at single rows of what it
generates; who did should have somebody else write new families and recipes. Truth knows them by number only. Reports
print two figures side by side: on the shipped overlay, which may be looked at, and on this one. If they differ, the
shipped one flatters; the way out is a better idea of what bots and dirt are, not a look in here.

`held_out_overlay(folder)` lands the demo shop with all of it under a folder of its own; `held_out_visitors` and
`held_out_contacts` read from the truth what is to be scored. Nothing outside of benchmarks and tests may name this
package; a test sees to it.
"""

from benchmarks.held_out.families import HELD_OUT_FAMILIES
from benchmarks.held_out.overlay import (
    EVENTS_SHARE,
    VISITORS_SHARE,
    HeldOutOverlay,
    held_out_contacts,
    held_out_overlay,
    held_out_plan,
    held_out_visitors,
)
from benchmarks.held_out.recipes import HELD_OUT_RECIPES

__all__ = [
    "EVENTS_SHARE",
    "HELD_OUT_FAMILIES",
    "HELD_OUT_RECIPES",
    "VISITORS_SHARE",
    "HeldOutOverlay",
    "held_out_contacts",
    "held_out_overlay",
    "held_out_plan",
    "held_out_visitors",
]
