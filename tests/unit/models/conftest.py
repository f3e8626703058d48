"""Fixture: the compiled models of the demo shop, once a test session."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import once, session_folder
from tests.unit.models.compiled import CompiledModels, compile_increments, compile_models


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> CompiledModels:
    """Staging, identity, features and marts."""

    def make(folder: Path) -> None:
        folder.mkdir()
        compile_models(folder, ["staging", "identity", "features", "marts"])

    return CompiledModels(once(session_folder(tmp_path_factory) / "compiled_models", make))


@pytest.fixture(scope="session")
def models_as_known(tmp_path_factory: pytest.TempPathFactory) -> CompiledModels:
    """Features that rest on what was known at each date."""

    def make(folder: Path) -> None:
        folder.mkdir()
        compile_models(folder, ["staging", "identity", "features"], identity_basis="as_known")

    return CompiledModels(once(session_folder(tmp_path_factory) / "compiled_models_as_known", make))


@pytest.fixture(scope="session")
def increments(tmp_path_factory: pytest.TempPathFactory, models: CompiledModels) -> Path:
    """What dbt runs when the identity stage continues what stands."""

    def make(folder: Path) -> None:
        folder.mkdir()
        compile_increments(folder, models)

    return once(session_folder(tmp_path_factory) / "compiled_increments", make)
