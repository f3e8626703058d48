"""Invoices like those of UCI Online Retail, with its columns and its troubles, made up from nothing.

A quarter of the lines names no customer; credit notes (C…) take back what was sold, some of it sold to nobody we know;
postage and fees stand among the goods; stock that broke is booked as a negative quantity at no price; bad debt is
written off on invoices of its own (A…); a bulk order comes and goes within the hour.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

COLUMNS = ("Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "CustomerID", "Country")
FIRST_DAY = datetime(2023, 1, 2)
DAYS = 300


def make_invoices(customers: int = 220, seed: int = 7) -> pa.Table:
    """Lines of invoices of 300 days, the same ones every time."""
    draw = np.random.default_rng(seed)
    rows: list[tuple[object, ...]] = []
    number = 500_000
    goods = [
        (f"{20_000 + n}{'AB '[n % 3].strip()}", f"THING {n}", round(0.5 + (n * 37 % 60) / 4, 2)) for n in range(60)
    ]
    for customer in range(customers):
        gap = draw.lognormal(2.9, 0.6)  # days between orders: 18 in the middle
        day = draw.uniform(0, DAYS * 0.7)
        while day < DAYS:
            number += 1
            at = FIRST_DAY + timedelta(days=int(day), minutes=int(draw.integers(8 * 60, 19 * 60)))
            known = None if draw.random() < 0.2 else 12_000 + customer
            country = "United Kingdom" if customer % 9 else "Germany"
            lines = [goods[int(n)] for n in draw.choice(len(goods), size=int(draw.integers(1, 5)), replace=False)]
            for code, description, price in lines:
                quantity = int(draw.integers(1, 12))
                rows.append((str(number), code, description, quantity, at, price, known, country))
                if draw.random() < 0.03:
                    later = at + timedelta(days=int(draw.integers(1, 9)))
                    rows.append((f"C{number + 50_000}", code, description, -quantity, later, price, known, country))
            if country == "Germany":
                rows.append((str(number), "POST", "POSTAGE", 1, at, 18.0, known, country))
            day += max(1.0, draw.exponential(gap))
    at = FIRST_DAY + timedelta(days=DAYS)
    rows += [
        ("560001", "23843", "PAPER CRAFT", 80_995, at - timedelta(hours=2), 2.08, 12_001, "United Kingdom"),
        ("C560002", "23843", "PAPER CRAFT", -80_995, at - timedelta(hours=1), 2.08, 12_001, "United Kingdom"),
        ("560003", "22423", "damages", -40, at - timedelta(days=9), 0.0, None, "United Kingdom"),
        ("560004", "22423", None, -3, at - timedelta(days=8), 0.0, None, "United Kingdom"),
        ("A560005", "B", "Adjust bad debt", 1, at - timedelta(days=7), -11_062.06, None, "United Kingdom"),
        ("C560006", "D", "Discount", -1, at - timedelta(days=6), 27.5, 12_002, "United Kingdom"),
        ("C560007", "22423", "CAKESTAND", -2, at - timedelta(days=5), 12.75, 12_003, "United Kingdom"),
        ("560008", "AMAZONFEE", "AMAZON FEE", 1, at - timedelta(days=5), 13.5, None, "United Kingdom"),
    ]
    rows.sort(key=lambda row: (row[4], row[0]))
    types = (
        pa.string(),
        pa.string(),
        pa.string(),
        pa.int32(),
        pa.timestamp("us"),
        pa.float64(),
        pa.int32(),
        pa.string(),
    )
    values = [pa.array(column, kind) for column, kind in zip(zip(*rows, strict=True), types, strict=True)]
    return pa.table(dict(zip(COLUMNS, values, strict=True)))


def write_invoices(folder: Path, table: pa.Table | None = None, name: str = "online_retail.parquet") -> Path:
    """The invoices as the file that the shop's mapping reads."""
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(table if table is not None else make_invoices(), folder / name)
    return folder
