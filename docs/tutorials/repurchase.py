"""Three scores of each customer on the first day of each month, made from the purchases up to that day and nothing later.

    python repurchase.py onlineretail.parquet scores.csv

recency    days since the last purchase (lower is healthier)
frequency  days with a purchase among the last 365
mix        mean of the customer's rank by recency and by frequency among the customers of that month, 0 to 100
"""

import csv
import sys

import numpy as np
import pyarrow.parquet as pq

YEAR = np.timedelta64(365, "D")


def purchase_days(path):
    """One row a customer and day with a purchase: customers and days, sorted. Lines without a customer and returns are left out."""
    lines = pq.read_table(path, columns=["CustomerID", "InvoiceDate", "Quantity"])
    customer, date, quantity = (lines[name].to_numpy() for name in lines.column_names)
    bought = np.isfinite(customer) & (quantity > 0)
    day = date[bought].astype("datetime64[D]").astype(np.int64)
    pairs = np.unique(np.column_stack([customer[bought].astype(np.int64), day]), axis=0)
    return pairs[:, 0], pairs[:, 1].astype("datetime64[D]")


def rank(values):
    """Share of the others that a value beats, ties one half, times 100."""
    ordered = np.sort(values)
    below, up_to = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
    return 50 * (below + up_to) / len(values)


def scores_on(date, customer, day):
    """Who bought in the year up to a date, and their three scores."""
    recent = (day > date - YEAR) & (day <= date)
    who, frequency = np.unique(customer[recent], return_counts=True)
    last = np.full(len(who), date - YEAR)
    np.maximum.at(last, np.searchsorted(who, customer[recent]), day[recent])
    recency = (date - last).astype(np.int64)
    return who, recency, frequency, (rank(-recency) + rank(frequency)) / 2


def main(purchases, scores):
    customer, day = purchase_days(purchases)
    months = np.arange(day.min().astype("datetime64[M]"), day.max().astype("datetime64[M]") + 1)
    with open(scores, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["account", "date", "recency", "frequency", "mix"])
        for date in months.astype("datetime64[D]"):
            for who, recency, frequency, mix in zip(*scores_on(date, customer, day), strict=True):
                writer.writerow([who, date, recency, frequency, round(float(mix), 2)])


if __name__ == "__main__":
    main(*sys.argv[1:])
