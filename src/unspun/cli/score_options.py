"""Options that change or bring a health score: weights, points, shares and names, read exactly; every fault is noted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal, InvalidOperation

from unspun.cli.options import OptionReader
from unspun.errors import BadInput
from unspun.health.definition import Linear, Scale, Steps, Values
from unspun.metrics.forms import printable

PLAIN = "Write a plain number, with a decimal point."


def read_names(reader: OptionReader, option: str, given: Sequence[str]) -> dict[str, str]:
    """`NAME=OTHER` as a mapping; each name once."""
    found: dict[str, str] = {}
    for one in given:
        name, sign, other = (part.strip() for part in one.rpartition("="))
        if not sign or not name or not other:
            reader.refuse(option, f"{printable(one)} does not say what for what.", 'Write "NAME=OTHER".')
        elif found.setdefault(name, other) != other:
            reader.refuse(option, f"{printable(name)} is given twice.", "Give it once.")
    return found


def read_weights(reader: OptionReader, given: Sequence[str], option: str = "--weight") -> dict[str, Decimal]:
    """`NAME=NUMBER` as a mapping of exact numbers."""
    named = read_names(reader, option, given)
    numbers = {name: _number(reader, option, text) for name, text in named.items()}
    return {name: number for name, number in numbers.items() if number is not None}


def read_share(reader: OptionReader, text: str | None) -> Decimal | None:
    """`40` or `40 %` as the share .4."""
    number = None if text is None else _number(reader, "--least-weight", text.strip().removesuffix("%").strip())
    if number is not None and not 0 <= number <= 100:
        reader.refuse("--least-weight", f"{printable(text)} is no share of the weight.", "Give 0 to 100 percent.")
        return None
    return None if number is None else number / 100


def read_range(reader: OptionReader, text: str | None) -> tuple[Decimal, Decimal] | None:
    """`0,10` as the lowest and the highest points."""
    if text is None:
        return None
    parts = [_number(reader, "--range", part) for part in text.split(",")]
    low, high = parts if len(parts) == 2 else (None, None)
    if low is not None and high is not None and low < high:
        return low, high
    reader.refuse("--range", f"{printable(text)} is no range.", "Write the lowest and the highest points: 0,10.")
    return None


def read_scales(reader: OptionReader, points: Sequence[str], steps: Sequence[str], values: Sequence[str]) -> dict[str, Scale]:
    """`METRIC=VALUE:POINTS,VALUE:POINTS` as scales by metric: of numbers joined by lines, of numbers in steps, of texts."""
    found: dict[str, Scale] = {}
    for option, given, make in (("--points", points, _linear), ("--steps", steps, _stepped), ("--values", values, _listed)):
        for name, scale in _scales(reader, option, given, make):
            if name in found:
                reader.refuse(option, f"the points of {printable(name)} are given twice.", "Give them once.")
            found[name] = scale
    return found


Pairs = Sequence[tuple[str, Decimal]]


def _scales(reader: OptionReader, option: str, given: Sequence[str], make: Callable[[Pairs], Scale]) -> Iterator[tuple[str, Scale]]:
    for one in given:
        name, sign, listed = (part.strip() for part in one.partition("="))
        pairs = [part.rpartition(":") for part in listed.split(",")]
        if not name or not sign or any(not colon or not value.strip() for value, colon, _ in pairs):
            reader.refuse(
                option, f"{printable(one)} gives no points.", "Write METRIC=VALUE:POINTS,VALUE:POINTS, as in tickets_90d=0:100,5:0."
            )
            continue
        told = [(value.strip(), number) for value, _, text in pairs if (number := _number(reader, option, text)) is not None]
        if len(told) < len(pairs):
            continue
        try:
            yield name, make(told)
        except BadInput as refusal:
            for fault in refusal.faults:
                reader.refuse(option, f"{printable(name)}: {fault.message}", fault.hint, fault.code)
        except ValueError:
            reader.refuse(option, f"{printable(name)}: a value is no number.", PLAIN)


def _linear(pairs: Pairs) -> Scale:
    return Linear(tuple((float(value), points) for value, points in pairs))


def _stepped(pairs: Pairs) -> Scale:
    return Steps(tuple((float(value), points) for value, points in pairs))


def _listed(pairs: Pairs) -> Scale:
    return Values(tuple(pairs))


def _number(reader: OptionReader, option: str, text: str) -> Decimal | None:
    """An exact number as it is written; a fault where it is none."""
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        number = Decimal("nan")
    if number.is_finite() and "_" not in text:
        return number
    reader.refuse(option, f"{printable(text.strip())} is no number.", PLAIN)
    return None
