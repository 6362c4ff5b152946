"""How the specs are told: chapters of sections, each on one word of the language."""

from __future__ import annotations

from dataclasses import dataclass

from tests.spec.harness import Spec


@dataclass(frozen=True, slots=True)
class Section:
    """Specs of one thing. `says` are the nodes whose docstrings tell what it is; `words` tells what they do not."""

    title: str
    specs: tuple[Spec, ...]
    says: tuple[type, ...] = ()
    words: str = ""


@dataclass(frozen=True, slots=True)
class Chapter:
    title: str
    words: str
    sections: tuple[Section, ...]

    @property
    def specs(self) -> tuple[Spec, ...]:
        return tuple(spec for section in self.sections for spec in section.specs)
