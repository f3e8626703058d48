"""Made-up shops in which it is known why somebody is a member, and that being one changes nothing."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

HORIZON = 14
FIRST = pd.Timestamp("2017-01-02")


@dataclass(frozen=True)
class Shop:
    members: pd.DataFrame
    population: pd.DataFrame
    outcomes: pd.DataFrame
    placebo: pd.DataFrame


def shop(seed: int = 0, customers: int = 500, dates: int = 4, confounder: float = 0.0) -> Shop:
    """Customers with a rate of their own, who are members the likelier, the more they bought lately.

    `confounder` is something that no column tells: it makes members of customers, and makes them buy more in the window
    of the outcome and in that of the placebo, and no more in between.
    """
    drawn = np.random.default_rng(seed)
    rate = np.clip(drawn.gamma(1.2, 0.08, customers), 0.003, 0.8)
    hidden = drawn.normal(size=customers)
    names = np.array([f"c{number:05}" for number in range(customers)])
    found: dict[str, list[pd.DataFrame]] = {"members": [], "population": [], "outcomes": [], "placebo": []}
    for date in range(dates):
        keys = pd.DataFrame({"customer_id": names, "as_of_date": FIRST + pd.Timedelta(days=112 * date)})
        counts = drawn.poisson(28 * rate[:, None], size=(customers, 3))
        amounts = np.array([[drawn.gamma(3 * n, 10) if n else 0.0 for n in row] for row in counts])
        found["population"].append(
            keys.assign(
                purchase_days_0_28=counts[:, 0],
                purchase_days_28_56=counts[:, 1],
                purchase_days_56_84=counts[:, 2],
                spend_0_84=amounts.sum(axis=1),
                spend_0_28=amounts[:, 0],
                shoe_size=drawn.normal(40, 2, customers),
            )
        )
        for name in ("outcomes", "placebo"):
            orders = drawn.poisson(HORIZON * rate * np.exp(confounder * hidden))
            spend = np.array([drawn.gamma(3 * n, 10) if n else 0.0 for n in orders])
            found[name].append(keys.assign(has_purchased=(orders > 0).astype(int), spend=spend))
        pull = 0.7 * np.log1p(counts[:, 0]) + 0.3 * np.log1p(counts[:, 2]) - 2.0 + confounder * hidden
        found["members"].append(keys[drawn.random(customers) < 1 / (1 + np.exp(-pull))])
    return Shop(**{name: pd.concat(frames, ignore_index=True) for name, frames in found.items()})
