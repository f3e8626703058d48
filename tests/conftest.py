"""What all tests share: a small shop that ran once, and copies of it to break."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from ingestion.adapters import HOUSEHOLDS_VARIABLE
from orchestration.dbt_in_process import InProcessDbt
from shops import PROJECT_ROOT, ShopFolders

# How long an example takes depends on what else the machine does: no time fails a test.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

SMALL_HOUSEHOLDS = "200"
GUARD = Path(__file__).parent / "integration" / "no_network"
NETWORK_LOG = "network.log"
# Where the shops lie that are made once for many tests; unset: in the folder of the session.
SHOPS_VARIABLE = "AUDIENCE_TEST_SHOPS"
# A data root in which `make demo` has just run, to read the demo's figures from; unset: tests run it themselves.
DEMO_VARIABLE = "AUDIENCE_TEST_DEMO"


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes what a user has under data/."""
    ours = ("SHOP", "DATA_DIR", "WAREHOUSE", "AS_OF", "POSTGRES_URL")
    for name in (*(f"AUDIENCE_{name}" for name in ours), "DAGSTER_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(HOUSEHOLDS_VARIABLE, SMALL_HOUSEHOLDS)


def small_environment(data_root: Path) -> dict[str, str]:
    """The environment in which a command works on the small shop under `data_root`."""
    inherited = {name: value for name, value in os.environ.items() if name != "AUDIENCE_POSTGRES_URL"}
    return {**inherited, "AUDIENCE_DATA_DIR": str(data_root), HOUSEHOLDS_VARIABLE: SMALL_HOUSEHOLDS}


def run_command(data_root: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """`python <arguments>` in the project, on the small shop under `data_root`."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=PROJECT_ROOT,
        env={**small_environment(data_root), **more},
        capture_output=True,
        text=True,
        timeout=900,
    )


def network_guard(log: Path) -> dict[str, str]:
    """An environment whose Python processes note in `log`, and refuse, every call to the outside."""
    return {"PYTHONPATH": str(GUARD), "AUDIENCE_TEST_NETWORK_LOG": str(log)}


def once(folder: Path, make: Callable[[Path], None]) -> Path:
    """Make `folder` once for all workers of this test session."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            unfinished = folder.with_name(f"{folder.name}.unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            make(unfinished)
            unfinished.rename(folder)
    return folder


def session_folder(factory: pytest.TempPathFactory) -> Path:
    """The folder that all workers of this test session share; CI names one that its two sessions share."""
    if shared := os.environ.get(SHOPS_VARIABLE):
        return Path(shared)
    base = factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


@pytest.fixture(scope="session", autouse=True)
def _parsed_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Shops that tests make anew begin with dbt's parse cache of the first one: dbt itself says what of it holds."""
    cache = session_folder(tmp_path_factory) / "parse_cache"
    parse = InProcessDbt.__post_init__

    def parse_with_cache(dbt: InProcessDbt) -> None:
        own, shared = (folder / "partial_parse.msgpack" for folder in (dbt.target_folder, cache / dbt.folders.shop))
        if shared.exists() and not own.exists():
            own.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(shared, own)
        parse(dbt)
        if not shared.exists():
            shared.parent.mkdir(parents=True, exist_ok=True)
            partial = shared.with_name(f"partial-{os.getpid()}")
            shutil.copy2(own, partial)
            partial.rename(shared)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(InProcessDbt, "__post_init__", parse_with_cache)
        yield


@pytest.fixture(scope="session")
def landed_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root whose demo shop has landed (200 households) and nothing else."""

    def make(root: Path) -> None:
        landed = run_command(root, "-m", "ingestion", "land")
        assert landed.returncode == 0, landed.stderr

    return once(session_folder(tmp_path_factory) / "landed_shop", make)


@pytest.fixture(scope="session")
def good_shop(tmp_path_factory: pytest.TempPathFactory, landed_shop: Path) -> Path:
    """A data root whose small demo shop went through the whole chain once."""

    def make(root: Path) -> None:
        shutil.copytree(landed_shop, root)
        # It runs under the network guard, so that test_no_network has a whole run to look at and need not make one.
        done = run_command(root, "-m", "orchestration", "run", **network_guard(root / NETWORK_LOG))
        assert done.returncode == 0, done.stdout + done.stderr

    return once(session_folder(tmp_path_factory) / "good_shop", make)


def _copy(source: Path, target: Path) -> ShopFolders:
    shutil.copytree(source, target, symlinks=True)
    return ShopFolders.of("demo", target)


@pytest.fixture
def fresh_shop(landed_shop: Path, tmp_path: Path) -> ShopFolders:
    """A copy of the landed shop: no warehouse, nothing published."""
    return _copy(landed_shop, tmp_path / "data")


@pytest.fixture
def shop(good_shop: Path, tmp_path: Path) -> ShopFolders:
    """A copy of the shop that ran once, to break at will."""
    return _copy(good_shop, tmp_path / "data")
