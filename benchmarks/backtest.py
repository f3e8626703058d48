"""Backtests of made-up shops: a grocer's year of weeks, and a million customers at eight dates."""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np
import pandas as pd

from benchmarks.measuring import Row, median_seconds, peak_memory, run_python, write_results
from ml.backtest import backtest

SIZES = ((2_500, 48, 3), (1_000_000, 8, 1))
HORIZON = 14


def main() -> None:
    """Measure each size in processes of their own."""
    rows = []
    for customers, dates, rounds in SIZES:
        done = [
            run_python("-m", "benchmarks.backtest", "--customers", str(customers), "--dates", str(dates))
            for _ in range(rounds)
        ]
        inside = sorted(float(one.output.split()[-1]) for one in done)
        rows.append(
            Row(
                name=f"backtest of {customers:,} customers at {dates} dates",
                ours_seconds=round(inside[len(inside) // 2], 2),
                goal=f"none; with the making of its rows the process took {median_seconds(done):g} s",
                rows=customers * dates,
                peak_memory_mb=peak_memory(done),
            )
        )
        print(rows[-1])
    write_results("backtest", rows)


def made_up(customers: int, dates: int, seed: int = 3) -> dict[str, pd.DataFrame]:
    """Members, population, outcomes and placebo of customers who buy at a rate of their own."""
    drawn = np.random.default_rng(seed)
    rate = np.tile(np.clip(drawn.gamma(1.2, 0.08, customers), 0.003, 0.8), dates)
    count = customers * dates
    keys = pd.DataFrame(
        {
            "customer_id": np.tile([f"c{number:07}" for number in range(customers)], dates),
            "as_of_date": np.repeat(pd.date_range("2017-01-02", periods=dates, freq="7D"), customers),
        }
    )
    counts = drawn.poisson(28 * rate[:, None], size=(count, 3)).astype(np.float64)
    spend = 25 * counts.sum(axis=1) * drawn.lognormal(0, 0.4, count)
    population = keys.assign(
        purchase_days_0_28=counts[:, 0],
        purchase_days_28_56=counts[:, 1],
        purchase_days_56_84=counts[:, 2],
        spend_0_84=spend,
        days_since_last_order=np.ceil(drawn.exponential(1 / rate)),
        customer_age_days=np.tile(drawn.integers(84, 400, customers), dates),
    )

    def bought() -> pd.DataFrame:
        orders = drawn.poisson(HORIZON * rate)
        return keys.assign(has_purchased=(orders > 0).astype(np.float64), spend=25.0 * orders)

    pull = 0.7 * np.log1p(counts[:, 0]) + 0.3 * np.log1p(counts[:, 2]) - 3.0
    members = keys[drawn.random(count) < 1 / (1 + np.exp(-pull))]
    return {"members": members, "population": population, "outcomes": bought(), "placebo": bought()}


def measure() -> None:
    """One backtest in this process; prints its seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, required=True)
    parser.add_argument("--dates", type=int, required=True)
    asked = parser.parse_args()
    shop = made_up(asked.customers, asked.dates)
    started = time.perf_counter()
    result = backtest(
        shop["members"],
        shop["population"],
        shop["outcomes"],
        placebo=shop["placebo"],
        rule="made up",
        horizon_days=HORIZON,
    )
    seconds = time.perf_counter() - started
    print(f"matched {result.matching.share:.0%} at {result.matching.level}", file=sys.stderr)
    print(f"{seconds:.3f}")


if __name__ == "__main__":
    measure()
