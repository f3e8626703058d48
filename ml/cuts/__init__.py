"""Campaign goals: from a score to whom to contact. A cut is chosen on one slice and reported on a later one.

``goals`` says what is wanted, ``choosing`` finds the cut, ``judging`` says what it gave on the hold-out, ``tables``
puts all of it into rows.
"""

from ml.cuts.goals import Goal
from ml.cuts.tables import CURVE_COLUMNS, CUT_COLUMNS, Cuts, cut_tables

__all__ = ["CURVE_COLUMNS", "CUT_COLUMNS", "Cuts", "Goal", "cut_tables"]
