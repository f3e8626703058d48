"""How a scene speaks: what is done as it is done, figures before and after side by side, and where to look."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

INDENT = 2


class Teller:
    """The voice of a scene."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def title(self, text: str) -> None:
        """The heading of a scene."""
        self.console.print()
        self.console.rule(f"[bold]{text}", align="left", style="dim")

    def does(self, text: str) -> None:
        """Something that is being done now."""
        self.console.print(f"▸ {text}", highlight=False, markup=False, soft_wrap=True)

    def says(self, text: str) -> None:
        """What the house said of it: quoted as it is."""
        self._say(text, "dim")

    @contextmanager
    def quoted(self) -> Iterator[Console]:
        """A console for a command of the house: what it prints stands here, indented."""
        console = Console(file=io.StringIO(), width=self.console.width - INDENT, emoji=False)
        yield console
        assert isinstance(console.file, io.StringIO)
        lines = (line.rstrip() for line in console.file.getvalue().splitlines())
        self.says("\n".join(line for line in lines if line))

    def shows(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Figures beside one another: the first column says what they are, numbers stand to the right."""
        table = Table(title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
        for number, name in enumerate(columns):
            is_figure = number > 0 and all(row[number][-1:].isdigit() or row[number][-1:] in "%-" for row in rows)
            table.add_column(name, justify="right" if is_figure else "left", overflow="fold")
        for row in rows:
            table.add_row(*row)
        table.title = f"\n{title}"
        self.console.print(Padding(table, (0, 0, 0, INDENT)))

    def concludes(self, text: str) -> None:
        """What follows from the figures."""
        self._say(text)

    def look(self, places: Sequence[tuple[str, str]]) -> None:
        """Where to look next: a place, and what is there."""
        self.console.print()
        for number, (place, what) in enumerate(places):
            line = Text.assemble(" " * INDENT, "look  " if number == 0 else "      ", (place, "bold"), f"  {what}")
            # Not wrapped: who copies a path or a command gets all of it.
            self.console.print(line, soft_wrap=True)

    def ends(self, text: str) -> None:
        """The last line of a scene."""
        self.console.print()
        self._say(text, "dim")

    def _say(self, text: str, style: str = "") -> None:
        self.console.print(Padding(Text(text, style), (0, 0, 0, INDENT)))
