"""Reads a how-to guide as instructions: files to write, edits to make, commands to run with what they print.

- A fenced block with a title, e.g. ```` ```sql title="shops/demo/models/x.sql" ````, is a whole file.
- A ``diff`` block with a title edits that file: its context and ``-`` lines must stand there exactly once.
- In a ``console`` block a line that begins with ``$ `` is a command; the lines below it are what it prints. Each of
  them must come in the output, in this order; other lines may stand between. Any number matches any other, ``…``
  matches anything, and how wide a gap is does not matter.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)(?: title=\"(?P<title>[^\"]+)\")?\s*$")
_NUMBER = re.compile(r"\d[\d,.]*")
_COLOR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, the file it names (or None), its lines, and where it begins in the guide."""

    language: str
    title: str | None
    lines: tuple[str, ...]
    at: str


@dataclass
class Command:
    """A command and the lines that the guide shows below it."""

    text: str
    shown: list[str] = field(default_factory=list)


def blocks(guide: Path) -> list[Block]:
    """The fenced blocks of `guide`, in order; a block within a list item is moved to the left."""
    found: list[Block] = []
    opened: re.Match[str] | None = None
    lines: list[str] = []
    begin = 0
    for number, line in enumerate(guide.read_text(encoding="utf-8").splitlines(), 1):
        fence = _FENCE.match(line)
        if opened is None:
            opened, lines, begin = fence, [], number
        elif line.strip() == "```":
            found.append(Block(opened["language"], opened["title"], tuple(lines), f"{guide.name}:{begin}"))
            opened = None
        else:
            lines.append(line.removeprefix(opened["indent"]))
    assert opened is None, f"{guide.name}:{begin}: the block has no end"
    return found


def commands(block: Block) -> list[Command]:
    """The commands of a ``console`` block; a command goes on where a line ends with a backslash."""
    found: list[Command] = []
    unfinished = False
    for line in block.lines:
        if unfinished:
            found[-1].text += "\n" + line
        elif line.startswith("$ "):
            found.append(Command(line[2:]))
        elif line.strip():
            assert found, f"{block.at}: output stands before the first command"
            found[-1].shown.append(line)
        unfinished = (unfinished or line.startswith("$ ")) and line.endswith("\\")
    return found


def missing_line(shown: list[str], printed: str) -> str | None:
    """The first line of `shown` that `printed` does not have, or has only before the line above it."""
    rest = iter([" ".join(line.split()) for line in _COLOR.sub("", printed).splitlines()])
    for line in shown:
        pattern = re.compile(_loosely(" ".join(line.split())))
        if not any(pattern.fullmatch(candidate) for candidate in rest):
            return line
    return None


def _loosely(line: str) -> str:
    pieces = [".*".join(map(re.escape, piece.split("…"))) for piece in _NUMBER.split(line)]
    return _NUMBER.pattern.join(pieces)


def edit(file: Path, block: Block) -> None:
    """Apply a ``diff`` block; context and removed lines must stand in `file` exactly once."""
    # An editor may have cut the space off an empty line of context.
    lines = [line or " " for line in block.lines]
    unknown = [line for line in lines if line[0] not in " +-"]
    assert not unknown, f"{block.at}: a line of a diff begins with a space, + or -: {unknown[0]!r}"
    old = "".join(f"{line[1:]}\n" for line in lines if line[0] in " -")
    new = "".join(f"{line[1:]}\n" for line in lines if line[0] in " +")
    text = file.read_text(encoding="utf-8")
    # A first or last line of the file stands at a line's begin all the same.
    count = ("\n" + text).count("\n" + old)
    assert count == 1, f"{block.at}: the lines to edit stand {count} times in {file}:\n{old}"
    file.write_text(("\n" + text).replace("\n" + old, "\n" + new)[1:], encoding="utf-8")


def follow(guide: Path, project: Path, environment: Mapping[str, str]) -> list[Command]:
    """Do what `guide` says in the folder `project`, top to bottom; the commands that ran, with what is shown for them.

    A failure names the line of the guide, the command and what it printed.
    """
    done: list[Command] = []
    for block in blocks(guide):
        if block.language == "console":
            for command in commands(block):
                _run(command, block.at, project, environment)
                done.append(command)
        elif block.title is not None:
            file = project / block.title
            if block.language == "diff":
                edit(file, block)
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text("\n".join(block.lines) + "\n", encoding="utf-8")
    return done


def _run(command: Command, at: str, project: Path, environment: Mapping[str, str]) -> None:
    result = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", command.text],
        cwd=project,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
    )
    assert result.returncode == 0, f"{at}: `{command.text}` ended with {result.returncode}:\n{result.stdout}"
    missing = missing_line(command.shown, result.stdout)
    assert missing is None, f"{at}: `{command.text}` did not print\n    {missing}\nbut\n{result.stdout}"
