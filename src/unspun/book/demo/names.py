"""Invented names. Roots are built from syllables; a likeness to a real company or person is chance."""

from __future__ import annotations

import numpy as np

from unspun.book.demo.calendar import Ints


def _words(text: str) -> list[str]:
    return text.split()


_STARTS = _words(
    "Bel Bram Cald Carv Delv Dorv Eld Fenn Fjor Garr Glim Hask Hol Ister Jar Kest Kirv Lanth Lor Mard Mel Nerv Nol Orv "
    "Ost Pell Quar Rav Rost Sard Selm Tarq Thol Ulv Vand Vel Wend Yarr Zel Zorn"
)
_MIDDLES = _words("a e i o u ar en il or um an eth")
_ENDINGS = _words("ba canta dane dell dine dra fane gard lis lope mere mora na nell quin ra rin sten ta thorpe vale va wick zon")
_TRADES = _words(
    "Analytics Bakeries Biotech Capital Ceramics Chemicals Clinics Construction Distribution Dynamics Education Energy "
    "Engineering Finance Foods Freight Health Hotels Instruments Insurance Labs Logistics Media Mobility Optics Packaging "
    "Partners Pharma Retail Robotics Security Software Steel Systems Telecom Textiles Travel Utilities Wholesale Works"
)
_UNITS = _words(
    "Nordics Iberia DACH Benelux Canada Mexico Brazil Japan Australia India UK France Italy Poland Gulf Singapore "
    "Services Digital Industrial Consumer North South East West Ventures Operations"
)
_FIRST = _words(
    "Ada Aisha Akira Amara Anders Anil Asa Beatriz Bruno Carmen Chidi Clara Dana Daniel Elena Elif Emeka Esther Fatima Felix "
    "Freya Gabriel Grace Hana Hugo Ingrid Isaac Ivan Jonas Julia Kavya Kenji Laila Leo Lin Lucia Maja Marcus Mei Mira Nadia "
    "Noah Nora Olga Omar Owen Paula Priya Rafael Rosa Samir Sara Sofia Tariq Tess Tomas Uma Vera Victor Wen Yara Yusuf Zoe"
)
_LAST = _words(
    "Abara Alvarez Andersen Aoki Baptiste Becker Bianchi Brandt Castro Chandra Choi Costa Dahl Demir Diaz Eriksen Farah Fischer "
    "Fontaine Garcia Greene Haddad Hansen Hughes Iyer Jansen Kaya Keller Khan Kim Kovacs Laine Larsen Lopez Mbeki Meyer Mori "
    "Nakamura Novak Nwosu Oduya Okafor Olsen Park Patel Pereira Popov Quinn Rahman Rivera Rossi Sato Schmidt Silva Singh "
    "Sorensen Tanaka Torres Varga Weber Wong Yilmaz Zhang"
)


def company_names(rng: np.random.Generator, top: Ints, position: Ints) -> list[str]:
    """A unique name per account. Members of a family carry the name of its top and a unit's: "Calda Foods Nordics".

    `top` is each account's top parent (itself, if it has none); `position` numbers the members of a family, 0 the top.
    """
    starts, middles, ends = len(_STARTS), len(_MIDDLES), len(_ENDINGS)
    roots = starts * middles * ends
    picks = rng.choice(roots * len(_TRADES), size=len(top), replace=False)
    root, trade = picks % roots, picks // roots
    own = [
        f"{_STARTS[r // (middles * ends)]}{_MIDDLES[r // ends % middles]}{_ENDINGS[r % ends]} {_TRADES[t]}"
        for r, t in zip(root.tolist(), trade.tolist(), strict=True)
    ]
    return [own[t] if p == 0 else f"{own[t]} {_unit(t, p - 1)}" for t, p in zip(top.tolist(), position.tolist(), strict=True)]


def _unit(family: int, number: int) -> str:
    again = number // len(_UNITS)
    return _UNITS[(number + 7 * family) % len(_UNITS)] + (f" {again + 1}" if again else "")


def person_names(rng: np.random.Generator, size: int, unique: bool = False) -> list[str]:
    """First and last names; `unique` ones serve as keys and there are some 4,000 of those."""
    picks = rng.choice(len(_FIRST) * len(_LAST), size=size, replace=not unique)
    return [f"{_FIRST[p // len(_LAST)]} {_LAST[p % len(_LAST)]}" for p in picks.tolist()]


def email_domain(company: str) -> str:
    """Under .example, which is reserved and reaches nobody."""
    return company.lower().replace(" ", "-") + ".example"
