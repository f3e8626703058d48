"""Random draws as SQL: a hash of a row's number and a label, so that a draw needs no order and no state.

The same seed, label and number give the same draw, whatever the number of threads and whichever rows are asked for.
Labels must not share their bits: the label is mixed into the number before hashing, not after, because hashes that are
combined afterwards differ by a constant and are not independent.
"""

from __future__ import annotations

import hashlib

import numpy as np


class Draws:
    """Draws of one seed.

    Parameters
    ----------
    seed
        Any integer; another seed gives other draws everywhere.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def constant(self, label: str) -> int:
        """The 64 bits that stand for `label` under this seed."""
        return int.from_bytes(hashlib.blake2b(f"{self.seed}/{label}".encode(), digest_size=8).digest(), "big")

    def generator(self, label: str) -> np.random.Generator:
        """A NumPy generator of its own for `label`."""
        return np.random.default_rng(self.constant(label))

    def bits_of(self, label: str, numbers: np.ndarray) -> np.ndarray:
        """64 random bits (uint64) for each of the non-negative integers `numbers`: the same idea, in NumPy.

        The mixing is SplitMix64's. It is not DuckDB's hash: a label is used on one side only.
        """
        mixed = numbers.astype(np.uint64)
        mixed ^= np.uint64(self.constant(label))
        mixed ^= mixed >> np.uint64(30)
        mixed *= np.uint64(0xBF58476D1CE4E5B9)
        mixed ^= mixed >> np.uint64(27)
        mixed *= np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
        return mixed

    def bits(self, label: str, number: str) -> str:
        """SQL: 64 random bits (ubigint) for the non-negative integer expression `number`."""
        return f"hash(xor(cast({number} as ubigint), {self.constant(label)}::ubigint))"

    def unit(self, label: str, number: str) -> str:
        """SQL: a double in [0, 1)."""
        return f"(cast({self.bits(label, number)} >> 11 as double) * 1.1102230246251565e-16)"

    def below(self, label: str, number: str, limit: int | str) -> str:
        """SQL: an integer (bigint) from 0 to `limit` - 1; `limit` is a number or an integer expression."""
        return f"cast({self.bits(label, number)} % cast({limit} as ubigint) as bigint)"

    def chance(self, label: str, number: str, probability: float | str) -> str:
        """SQL: true with `probability`, a number or an expression."""
        return f"({self.unit(label, number)} < {probability})"

    def normal(self, label: str, number: str) -> str:
        """SQL: a standard normal double, by Box and Muller."""
        radius = f"sqrt(-2 * ln(1 - {self.unit(label + '/radius', number)}))"
        return f"({radius} * cos({2 * np.pi} * {self.unit(label + '/angle', number)}))"

    def choice(self, label: str, number: str, weights: dict[str, float]) -> str:
        """SQL: one of the texts `weights`, each with its share of the sum."""
        total = sum(weights.values())
        drawn, reached, cases = self.unit(label, number), 0.0, []
        names = list(weights)
        for name in names[:-1]:
            reached += weights[name] / total
            cases.append(f"when {drawn} < {reached:.6f} then '{name}'")
        if not cases:
            return f"'{names[-1]}'"
        return f"case {' '.join(cases)} else '{names[-1]}' end"
