"""The rows of the proof, P1 to P28: which tests show them, at what size, and what of them nothing shows yet.

A test that belongs to a row bears `@pytest.mark.row("P7")`. Under `make soak` it runs at the row's figure, else at a
twentieth or what it says, and the last lines of the run tell of every row how it went.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

#: Whether this run is `make soak`.
SOAK = bool(os.environ.get("SOAK"))


#: Figures that the environment names, in place of the rows' own.
_GIVEN = ("CELLS", "FAULTS", "OPERATIONS", "SECONDS_OF_FAULTS", "P7_POSITIONS", "P7_SERVICES", "P7_CLEAN", "P8_MUTANTS")
#: Whether what a soak sees now is seen at the rows' figures.
AT_FIGURE = SOAK and not any(map(os.environ.get, _GIVEN))


def figure(whole: int, here: int | None = None, *, given: str = "") -> int:
    """Return the row's figure under `make soak`, else `here`, or a twentieth of it.

    :param given: a setting of the environment that may name another.
    """
    assert not given or given in _GIVEN, given
    return int(os.environ.get(given) or (whole if SOAK else here if here is not None else whole // 20))


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the proof.

    :ivar lacks: what no test shows of it yet, at any size; None where nothing is missing.
    """

    title: str
    lacks: str | None = None


NO_TEST = "no test"
ROWS = {
    "P1": Row("nothing acknowledged is lost"),
    "P2": Row("a remedy taken out is noticed"),
    "P3": Row("a slow or broken line between every pair", "all 80 pairs and faults, a black hole of 30 s, in `make test`"),
    "P4": Row("the machine runs out of something", "disk full, connections exhausted, the clock an hour off"),
    "P5": Row("every operation is in the trail"),
    "P6": Row("no answer without its entry"),
    "P7": Row("tampering is detected"),
    "P8": Row("the tree of the trail"),
    "P9": Row("the speed of the trail", NO_TEST),
    "P10": Row("canaries"),
    "P11": Row("erased is erased"),
    "P12": Row("retention over years", NO_TEST),
    "P13": Row("who may what"),
    "P14": Row("two worlds answer alike", "announcements in other orders, and what is worked on in the background by what it takes"),
    "P15": Row("dead sessions", "over a socket, with every service behind the gateway"),
    "P16": Row("forgery on the bus", "every account against every method"),
    "P17": Row("poison", "more than a twentieth"),
    "P18": Row(
        "whatever a client sends to the documented API",
        "that everything the document allows is accepted",
    ),
    "P19": Row("hostile files", "in `make test` 500 workbooks that are changed at random: 100; of what hypothesis makes, 25 and 50 a format"),
    "P20": Row("cells that a spreadsheet would run"),
    "P21": Row("the system against a model", NO_TEST),
    "P22": Row("load, which `make bench` shows", NO_TEST),
    "P23": Row("mutation testing", NO_TEST),
    "P24": Row("cold starts", "20 starts in random orders"),
    "P25": Row("ASVS 5.0", "what docs/asvs.md calls partly or no"),
    "P26": Row("nothing calls out"),
    "P27": Row("the data dictionary"),
    "P28": Row("a dump holds no hidden value"),
}


def told(outcomes: Mapping[str, Counter[str]]) -> Iterator[str]:
    """Yield a line for each row: how many of its tests ended how, and what none shows.

    :param outcomes: of each row, how often `passed`, `failed` or `skipped`.
    """
    for name, row in ROWS.items():
        ended = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.get(name, Counter()).items()))
        lacks = f" (not shown: {row.lacks})" if row.lacks not in {None, NO_TEST} else ""
        yield f"{name} {row.title}: {ended or (NO_TEST if row.lacks == NO_TEST else 'did not run')}{lacks}"
