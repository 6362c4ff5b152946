"""Two files of a company that was made up, as its systems would export them: the same seed gives the same files.

    python two_files.py exports

subscriptions.csv  a line for each yearly term of 400 accounts, the one that runs now included
usage.csv          logins of each account and week, up to 30 June 2026

Accounts whose logins fall are likelier to leave: that is built in. What else decides is chance, and is in neither file.
"""

import csv
import math
import random
import sys
from datetime import date, timedelta
from pathlib import Path

SEED, ACCOUNTS = 20260630, 400
FIRST, TODAY = date(2022, 1, 1), date(2026, 6, 30)
NAMES = [
    "Acorn",
    "Alder",
    "Aspen",
    "Birch",
    "Cedar",
    "Clover",
    "Fern",
    "Hazel",
    "Heather",
    "Holly",
    "Ivy",
    "Juniper",
    "Larch",
    "Laurel",
    "Linden",
    "Maple",
    "Rowan",
    "Sorrel",
    "Thyme",
    "Willow",
]
KINDS = [
    "Air",
    "Books",
    "Cloud",
    "Dental",
    "Energy",
    "Foods",
    "Games",
    "Hotels",
    "Labs",
    "Logistics",
    "Media",
    "Motors",
    "Optics",
    "Paper",
    "Robotics",
    "Studio",
    "Systems",
    "Tools",
    "Travel",
    "Works",
]


def account(rng, number):
    """The terms of one account and its logins a week."""
    id = f"{NAMES[number % 20]} {KINDS[number // 20]}"
    size, health, trend = rng.choice(("Small", "Large")), rng.gauss(0, 1), rng.gauss(0, 0.2)
    arr = (6 if size == "Small" else 30) * 1000 + 500 * rng.randrange(20)
    begun = start = FIRST + timedelta(days=rng.randrange(900))
    terms, left = [], None
    while start <= TODAY:
        end = next_year(start)
        terms.append((f"{number:03}-{start.year}", id, start, end, arr, "EUR"))
        years = (end - begun).days / 365
        if end <= TODAY and rng.random() < 1 / (1 + math.exp(1.6 + 1.2 * (health + trend * years))):
            left = end
            break
        start = end + timedelta(days=1)
        arr = round(arr * rng.choice((0.8, 1, 1, 1, 1, 1.1, 1.25)))
    return terms, logins(rng, id, size, health, trend, begun, left or TODAY)


def next_year(start):
    """The last day of a term of a year."""
    return start.replace(year=start.year + 1, day=min(start.day, 28)) - timedelta(days=1)


def logins(rng, id, size, health, trend, begun, until):
    """A row a week in which somebody logged in."""
    day = begun
    while day <= until:
        level = (25 if size == "Small" else 40) * math.exp(0.6 * (health + trend * (day - begun).days / 365))
        count = max(0, round(rng.gauss(level, math.sqrt(level))))
        if count:
            yield id, day, "login", count
        day += timedelta(days=7)


def write(path, header, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def main(folder):
    rng, terms, usage = random.Random(SEED), [], []
    for number in range(ACCOUNTS):
        some, weeks = account(rng, number)
        terms += some
        usage += weeks
    Path(folder).mkdir(parents=True, exist_ok=True)
    header = ("subscription_id", "account_id", "term_start", "term_end", "arr", "currency")
    write(Path(folder) / "subscriptions.csv", header, terms)
    write(Path(folder) / "usage.csv", ("account_id", "date", "event", "count"), usage)


if __name__ == "__main__":
    main(sys.argv[1])
