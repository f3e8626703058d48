"""BG/NBD on a million customers: our fit beside those of `lifetimes` and of pymc-marketing (maximum a posteriori).

Everything from the histories in memory to the parameters, each measurement in a process of its own, in turns; what is
imported is not counted. Customers keep to the model, a year long; the parameters are those of CDNOW's sample.

pymc-marketing is large and no dependency of the project. `PYMC_PYTHON` names a Python that has it:
`python3 -m venv FOLDER && FOLDER/bin/pip install pymc-marketing`, then `PYMC_PYTHON=FOLDER/bin/python`. Without, that
peer is left out, and the report says so.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

if __name__ == "__main__":  # also by another Python, which knows this folder alone
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

Arrays = dict[str, npt.NDArray[np.float64]]

CUSTOMERS = int(os.environ.get("LIFETIME_BENCHMARK_CUSTOMERS", "1000000"))
TRUTH = {"r": 0.243, "alpha": 7 * 4.414, "a": 0.793, "b": 2.426}
DAYS = 365
ROUNDS = {"ours": 5, "lifetimes": 3, "pymc-marketing": 3}
# First fits of a library on a little, so that compiling and loading are not counted.
WARM_UP = 2_000
GOAL = "at least 20 times as fast as the faster peer, the same parameters to three digits"


def main() -> None:
    """Measure, compare the parameters, print, rewrite the results."""
    from benchmarks.measuring import Row, run, write_results

    pythons = {"ours": sys.executable, "lifetimes": sys.executable, "pymc-marketing": os.environ.get("PYMC_PYTHON")}
    there = {who: python for who, python in pythons.items() if python}
    said: dict[str, list[dict[str, Any]]] = {who: [] for who in there}
    memory = dict.fromkeys(there, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "histories.npz"
        drawn = _draw(CUSTOMERS)
        np.savez(file, repeats=drawn["repeats"], last=drawn["last"], age=drawn["age"])
        for number in range(max(ROUNDS.values())):
            for who, python in there.items():
                if number < ROUNDS[who]:
                    done = run([python, __file__, who, str(file)])
                    said[who].append(json.loads(done.output.strip().splitlines()[-1]))
                    memory[who] = max(memory[who], round(done.peak_memory_mb, 0))
    seconds = {who: round(statistics.median(one["seconds"] for one in runs), 2) for who, runs in said.items()}
    found = {who: runs[-1]["parameters"] for who, runs in said.items()}
    results = []
    for peer in (who for who in there if who != "ours"):
        apart = max(abs(found[peer][name] / value - 1) for name, value in found["ours"].items())
        results.append(
            Row(
                name=f"BG/NBD of {CUSTOMERS:,} customers; parameters at most {apart:.2%} from those of {peer}, "
                f"which took {memory[peer]:,.0f} MB",
                ours_seconds=seconds["ours"],
                peer=peer,
                peer_seconds=seconds[peer],
                ratio=round(seconds[peer] / seconds["ours"], 1),
                goal=GOAL,
                rows=CUSTOMERS,
                peak_memory_mb=memory["ours"],
            )
        )
    print(f"truth {TRUTH}")
    for who, parameters in found.items():
        shown = ", ".join(f"{name} {value:.5g}" for name, value in parameters.items())
        print(f"{who}: {seconds[who]} s, {memory[who]:,.0f} MB; {shown}")
    for row in results:
        print(f"{row.peer}: {row.ratio} times as slow (goal: {row.goal})")
    if "pymc-marketing" not in there:
        print("pymc-marketing: left out, PYMC_PYTHON names no Python that has it")
    print(f"written to {write_results('lifetime', results)}")


def _draw(customers: int) -> Arrays:
    """Histories in whole days, as the features have them: x, t_x and T."""
    generator = np.random.default_rng(1)
    rate = generator.gamma(TRUTH["r"], 1 / TRUTH["alpha"], customers)
    leaving = generator.beta(TRUTH["a"], TRUTH["b"], customers)
    age = generator.integers(1, DAYS + 1, customers).astype(np.float64)
    repeats, last, at = np.zeros(customers), np.zeros(customers), np.zeros(customers)
    who = np.arange(customers)
    while len(who):
        at[who] += generator.exponential(1 / rate[who])
        who = who[at[who] <= age[who]]
        repeats[who] += 1
        last[who] = np.ceil(at[who])
        who = who[generator.random(len(who)) >= leaving[who]]
    return {"repeats": repeats, "last": last, "age": age}


def _ours(data: Arrays) -> Callable[[], dict[str, float]]:
    import pandas as pd

    from ml.lifetime.bg_nbd import BGNBD
    from ml.lifetime.histories import HISTORY

    frame = pd.DataFrame(dict(zip(HISTORY, data.values(), strict=True)))

    def fit() -> dict[str, float]:
        model = BGNBD().fit(frame)
        return {name: getattr(model, f"{name}_") for name in TRUTH}

    return fit


def _lifetimes(data: Arrays) -> Callable[[], dict[str, float]]:
    fitter: Any = importlib.import_module("lifetimes.fitters.beta_geo_fitter").BetaGeoFitter

    def fit() -> dict[str, float]:
        model = fitter(penalizer_coef=0.0).fit(data["repeats"], data["last"], data["age"])
        return {name: float(model.params_[name]) for name in TRUTH}

    return fit


def _pymc(data: Arrays) -> Callable[[], dict[str, float]]:
    import pandas as pd

    clv: Any = importlib.import_module("pymc_marketing.clv")
    columns = {"customer_id": np.arange(len(data["age"])), "frequency": data["repeats"].astype(int)}
    frame = pd.DataFrame({**columns, "recency": data["last"], "T": data["age"]})

    def fit() -> dict[str, float]:
        model = clv.BetaGeoModel(data=frame)
        model.fit(method="map", progressbar=False)
        posterior = model.idata.posterior
        return {name: float(posterior[name].to_numpy().ravel()[0]) for name in TRUTH}

    return fit


def _measured_part() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("who", choices=tuple(ROUNDS))
    parser.add_argument("file")
    asked = parser.parse_args()
    prepare = {"ours": _ours, "lifetimes": _lifetimes, "pymc-marketing": _pymc}[asked.who]
    with np.load(asked.file) as stored:
        data = {name: stored[name] for name in stored.files}
    prepare({name: values[:WARM_UP] for name, values in data.items()})()
    fit = prepare(data)
    started = time.perf_counter()
    parameters = fit()
    print(json.dumps({"seconds": time.perf_counter() - started, "parameters": parameters}))


if __name__ == "__main__":
    _measured_part()
