"""Words that a shop puts over those that ship: a file of its folder, read for `ml` to check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from ml.catalogue import read_catalogue
from shops import ShopFolders


@dataclass(frozen=True)
class OwnWords:
    """What a file of words holds, its name for messages, and the names of all features there are."""

    content: Any
    file: str
    features: list[str]


def own_words(folders: ShopFolders, name: str) -> OwnWords | None:
    """What `shops/<name>/` says in the file `name`; None where there is no such file.

    Raises
    ------
    WordsError
        If it is not YAML.
    """
    from ml.words import WordsError

    file = folders.own / name
    if not file.exists():
        return None
    shown = folders.shown(file)
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise WordsError(f"{shown} is not valid YAML: {error}. Next: correct it.") from error
    return OwnWords(content, shown, [feature.name for feature in read_catalogue().features])
