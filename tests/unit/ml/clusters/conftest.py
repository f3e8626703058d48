"""A choice that takes a moment: one algorithm, few numbers, few resamples."""

import pytest

from ml.clusters import comparison
from ml.clusters.settings import ClusterSettings


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> ClusterSettings:
    """Settings of a small shop."""
    monkeypatch.setattr(comparison, "REFERENCES", 1)
    monkeypatch.setattr(comparison, "RESAMPLES", 2)
    return ClusterSettings(min_members=20, algorithms=("k_means",), max_clusters=6, max_micro_clusters=1)
