"""Words that ship with the project and that a shop may replace: read, laid over each other, checked, hinted at."""

import difflib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError


class WordsError(ValueError):
    """A file of words has an entry that cannot be used; the message names file, feature and next step."""


class Entry(BaseModel):
    """An entry of such a file: no key that is not known, and nothing changes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Checked = TypeVar("Checked", bound=Entry)


def read_words(file: Path) -> dict[str, Any]:
    """What a shipped file holds."""
    content: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return content


def as_sections(own: object, file: str, sections: Collection[str], shipped: Path) -> Mapping[str, Any]:
    """What a shop's file holds, if it is sections that there are; raises WordsError if not."""
    if not isinstance(own, Mapping):
        raise WordsError(f"{file} must hold keys and values, not a {type(own).__name__}. Next: see {shipped}.")
    for section in own:
        if section not in sections:
            raise WordsError(f"{file}: unknown section '{section}'{hint(section, sections)}")
    return own


def check_features(named: Collection[str], file: str, features: Collection[str]) -> None:
    """Raise WordsError if one of the names in a file is no feature."""
    for feature in named:
        if feature not in features:
            raise WordsError(f"{file}: there is no feature '{feature}'{hint(feature, features)}")


def merged(shipped: Mapping[str, Any], own: Mapping[str, Any], by_key: Collection[str]) -> dict[str, Any]:
    """`own` over `shipped`: sections in `by_key` entry by entry, where null takes one away; others as a whole."""
    found = dict(shipped)
    for section, value in own.items():
        if section in by_key:
            entries = {**shipped[section], **{str(name): entry for name, entry in (value or {}).items()}}
            found[section] = {name: entry for name, entry in entries.items() if entry is not None}
        else:
            found[section] = value
    return found


def checked(model: type[Checked], content: Mapping[str, Any], file: str, shipped: Path) -> Checked:
    """The content as `model`; raises WordsError that names each entry that is wrong."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problems = "; ".join(f"{' '.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise WordsError(f"{file}: {problems}. Next: correct the entry; {shipped} shows each kind.") from error


def hint(word: str, known: Collection[str]) -> str:
    """The end of a message about a word that is not known: what may have been meant, or what there is."""
    near = difflib.get_close_matches(str(word), list(known), n=1, cutoff=0.6)
    if near:
        return f"; did you mean '{near[0]}'? Next: correct it."
    return f". Next: remove it, or take one of {', '.join(sorted(known)[:12])} …"
