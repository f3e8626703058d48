"""Are the models still as good as they were said to be? What came true, what has changed, and when to train again.

What belongs here: frames of scores, labels and features in, figures and reasons out. What must not: where they are read
from, and training (`ml.propensity` and its kin).
"""
