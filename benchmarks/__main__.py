"""`python -m benchmarks [NAME ...]`: run all benchmarks, or those named."""

from __future__ import annotations

import argparse
import importlib

NAMES = (
    "chain",
    "dbt_calls",
    "event_log",
    "generation",
    "web_events",
    "bots",
    "identity",
    "identity_increment",
    "components",
    "linkage",
    "features",
    "backtest",
    "clusters",
    "clusters_planted",
    "cluster_stability",
    "cluster_drift",
    "propensity",
    "propensity_algorithms",
    "propensity_training",
    "oracle",
    "lifetime",
    "reasons",
    "reasons_agreement",
    "scoring",
    "own_shop",
    "publish",
    "site",
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(NAMES)}; default: all")
    names = parser.parse_args().names or NAMES
    for name in names:
        if name not in NAMES:
            parser.error(f"there is no benchmark '{name}'; there are {', '.join(NAMES)}")
        print(f"== {name}", flush=True)
        importlib.import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()
