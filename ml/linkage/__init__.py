"""Which records are of one person: probabilistic linkage after Fellegi and Sunter, trained without labels.

Fellegi & Sunter, "A Theory for Record Linkage", JASA 64 (1969); executed with Splink 5
(https://github.com/moj-analytical-services/splink). `train` learns how often records of one person and records of
strangers agree; `score` finds the pairs that may be one person and says how likely that is, and why. What belongs
together as a group is decided elsewhere.
"""

from ml.linkage.engine import LinkageError
from ml.linkage.model import LinkageModel
from ml.linkage.scoring import ScoredPairs, score
from ml.linkage.settings import LinkageSettings
from ml.linkage.training import train

__all__ = ["LinkageError", "LinkageModel", "LinkageSettings", "ScoredPairs", "score", "train"]
