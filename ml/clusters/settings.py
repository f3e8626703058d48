"""What a shop can set about its clusters."""

from dataclasses import asdict, dataclass, field
from typing import Any

from ml.clusters.algorithms import Algorithm
from ml.clusters.drift import DriftLimits
from ml.clusters.preparation import Scaling


@dataclass(frozen=True)
class ClusterSettings:
    """Settings of `ml.clusters.model.fit`.

    Attributes
    ----------
    min_members : int
        No group smaller than this; in a small sample the floor is a tenth of the customers instead.
    scaling, components : see `ml.clusters.preparation`
    algorithms : tuple of str
        What the choice may take.
    max_clusters, max_micro_clusters : int
        At most so many broad clusters, and micro-segments in each.
    anchor : float
        Weight of the old centers when a model is fitted again, as a share of each cluster's members.
    max_inertia_loss : float
        What the past may cost at most: over it a fit without a past is taken.
    drift : DriftLimits
    choose_drift : float
        So many times the least effect of an alarm, and algorithm and number are chosen anew.
    """

    min_members: int = 50
    scaling: Scaling = "power"
    components: int | float | None = None
    algorithms: tuple[Algorithm, ...] = ("k_means", "ward", "gaussian_mixture", "hdbscan")
    max_clusters: int = 12
    max_micro_clusters: int = 4
    anchor: float = 0.5
    max_inertia_loss: float = 0.01
    drift: DriftLimits = field(default_factory=DriftLimits)
    choose_drift: float = 2.0

    def floor(self, customers: int) -> int:
        """Least members of a group among so many customers."""
        return max(1, min(self.min_members, customers // 10))

    @property
    def of_choice(self) -> dict[str, Any]:
        """The settings that a choice depends on: with others it is made anew."""
        kept = asdict(self)
        for name in ("anchor", "max_inertia_loss", "drift", "choose_drift"):
            del kept[name]
        return {**kept, "algorithms": list(self.algorithms)}
