"""How much a training may cost, in fits and rows and never in seconds: the same data gives the same model anywhere."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of a training; rows are those of a sample of customers where there are more.

    Attributes
    ----------
    search_fits : int
        The search for candidate and settings may cost so many fits of `search_rows` rows; it always ends with
        the best of each family on each fold.
    search_rows : int
        Rows that a fit of the search learns from.
    fit_rows : int
        Rows that the model that ships learns from.
    judged_rows : int
        Rows of the hold-out, and of the slice that calibrates, that are judged.
    """

    search_fits: int = 24
    search_rows: int = 6_000
    fit_rows: int = 200_000
    judged_rows: int = 50_000

    def __post_init__(self) -> None:
        wrong = [name for name, value in vars(self).items() if value < 1]
        if wrong:
            raise ValueError(f"limits of a training have to be at least 1: {', '.join(wrong)}.")
