"""The web models, compiled once for all tests here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from shops import ShopFolders
from tests.conftest import once, session_folder
from tests.unit.web.web_models import CompiledModels, Row, WebModels, compile_models


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> CompiledModels:
    """Made by one worker, read by all."""

    def make(root: Path) -> None:
        models = compile_models(ShopFolders.of("demo", root / "data"))
        (root / "models.json").write_text(json.dumps(asdict(models)))

    folder = once(session_folder(tmp_path_factory) / "web_models", make)
    return CompiledModels(**json.loads((folder / "models.json").read_text()))


@pytest.fixture
def built(compiled: CompiledModels) -> Iterator[Callable[..., WebModels]]:
    """A function that builds all tables from one load of rows, or from several loads."""
    made: list[WebModels] = []

    def build(*loads: list[Row]) -> WebModels:
        models = WebModels(compiled)
        made.append(models)
        for rows in loads:
            models.land(rows)
        models.build()
        return models

    yield build
    for models in made:
        models.close()
