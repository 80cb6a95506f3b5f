# SPDX-License-Identifier: BSL-1.0
"""One question that is put to several libraries; README.md says how a module of cases plugs in."""
from dataclasses import dataclass, field
from typing import Callable


@dataclass
class Case:
    name: str  # as it stands in the records
    make: Callable[[], dict]  # X (n x p, dense or sparse) and y, and whatever judge() wants to know
    libraries: list  # keys of the module's FITS; those that are not installed are left out
    gamut: list = field(default_factory=list)  # arguments of gamut_peer; empty: gamut is not asked
    options: dict = field(default_factory=dict)  # handed to the fits (numbers and texts only)
    repeats: int = 3  # alternating runs
    seconds: float = 150  # a fit that takes longer is ended, and counts as given up
    enough: float = 15  # no more runs of a library that has used so many seconds in this case (unless --full)
    group: str = ""  # successive cases that are counted together and not shown one by one; they share their workers
    keep: str = ""  # successive cases with the same word share their workers too
    slow: tuple = ()  # libraries that are asked with --full only
    full: bool = False  # only with --full
