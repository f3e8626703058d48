"""Fixture: the compiled models of the demo shop, once a test session."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import once, session_folder
from tests.unit.models.compiled import CompiledModels, compile_increments, compile_models

# 13:30 in New York.
AS_OF_AT = "2024-01-10 18:30:00"


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> CompiledModels:
    """All stages."""

    def make(folder: Path) -> None:
        folder.mkdir()
        compile_models(folder, ["staging", "identity", "features", "scores", "segments", "marts"])

    return CompiledModels(once(session_folder(tmp_path_factory) / "compiled_models", make))


@pytest.fixture(scope="session")
def models_as_known(tmp_path_factory: pytest.TempPathFactory) -> CompiledModels:
    """Features that rest on what was known at each date; intent in the middle of a day."""

    def make(folder: Path) -> None:
        folder.mkdir()
        compile_models(
            folder, ["staging", "identity", "features"], identity_basis="as_known", as_of_at=AS_OF_AT
        )

    return CompiledModels(once(session_folder(tmp_path_factory) / "compiled_models_as_known", make))


@pytest.fixture(scope="session")
def increments(tmp_path_factory: pytest.TempPathFactory, models: CompiledModels) -> Path:
    """What dbt runs when the identity stage continues what stands."""

    def make(folder: Path) -> None:
        folder.mkdir()
        compile_increments(folder, models)

    return once(session_folder(tmp_path_factory) / "compiled_increments", make)
