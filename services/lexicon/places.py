"""States, territories and FEMA regions: a table of 56 rows (R102, T12, T18)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.lexicon.folding import fold


@dataclass(frozen=True, slots=True)
class State:
    """A state, the District of Columbia or a territory, with its FEMA region."""

    code: str
    name: str
    region: int


_ROWS: Final = (
    (1, "CT Connecticut;ME Maine;MA Massachusetts;NH New Hampshire;RI Rhode Island;VT Vermont"),
    (2, "NJ New Jersey;NY New York;PR Puerto Rico;VI U.S. Virgin Islands"),
    (3, "DE Delaware;DC District of Columbia;MD Maryland;PA Pennsylvania;VA Virginia;WV West Virginia"),
    (4, "AL Alabama;FL Florida;GA Georgia;KY Kentucky;MS Mississippi;NC North Carolina;SC South Carolina;TN Tennessee"),
    (5, "IL Illinois;IN Indiana;MI Michigan;MN Minnesota;OH Ohio;WI Wisconsin"),
    (6, "AR Arkansas;LA Louisiana;NM New Mexico;OK Oklahoma;TX Texas"),
    (7, "IA Iowa;KS Kansas;MO Missouri;NE Nebraska"),
    (8, "CO Colorado;MT Montana;ND North Dakota;SD South Dakota;UT Utah;WY Wyoming"),
    (9, "AZ Arizona;CA California;HI Hawaii;NV Nevada;AS American Samoa;GU Guam;MP Northern Mariana Islands"),
    (10, "AK Alaska;ID Idaho;OR Oregon;WA Washington"),
)

STATES: Final[Mapping[str, State]] = {row[:2]: State(row[:2], row[3:], region) for region, rows in _ROWS for row in rows.split(";")}
"""Code → state, ordered by FEMA region."""

REGIONS: Final[Mapping[int, tuple[str, ...]]] = {region: tuple(row[:2] for row in rows.split(";")) for region, rows in _ROWS}
"""FEMA region → codes of its states."""

_OTHER_NAMES: Final = {
    "virgin islands": "VI",
    "us virgin islands": "VI",
    "virgin islands of the us": "VI",
    "virgin islands of the united states": "VI",
    "washington dc": "DC",
    "washington d c": "DC",
    "d c": "DC",
    "commonwealth of the northern mariana islands": "MP",
    "cnmi": "MP",
    "commonwealth of puerto rico": "PR",
    # Abbreviations of the Associated Press, which offices still use.
    "ala": "AL", "ariz": "AZ", "ark": "AR", "calif": "CA", "cal": "CA", "colo": "CO",
    "conn": "CT", "del": "DE", "fla": "FL", "ill": "IL", "ind": "IN", "kan": "KS", "kans": "KS",
    "mass": "MA", "mich": "MI", "minn": "MN", "miss": "MS", "mont": "MT", "neb": "NE",
    "nebr": "NE", "nev": "NV", "n h": "NH", "n j": "NJ", "n m": "NM", "n mex": "NM", "n y": "NY",
    "n c": "NC", "n d": "ND", "n dak": "ND", "okla": "OK", "ore": "OR", "penn": "PA",
    "penna": "PA", "r i": "RI", "s c": "SC", "s d": "SD", "s dak": "SD", "tenn": "TN",
    "tex": "TX", "vt": "VT", "wash": "WA", "w va": "WV", "wis": "WI", "wisc": "WI", "wyo": "WY",
}  # fmt: skip

_CODE_BY_NAME: Final = {
    **_OTHER_NAMES,
    **{fold(state.name): code for code, state in STATES.items()},
    **{code.lower(): code for code in STATES},
}

# Washington may be the state or the city, so a state's full name counts only directly before a ZIP code or at the end of
# the address, and a two-letter code has precedence. The patterns expect single spaces.
_CODE_BEFORE_ZIP: Final = re.compile(r"\b([A-Z]{2})\.?,?\s\d{5}(?:-\d{4})?\b")
_CODE_AT_END: Final = re.compile(r",\s?([A-Z]{2})\.?\s?(?:,?\s?(?:USA?|United States.*))?$")
_NAME_BEFORE_ZIP: Final = re.compile(r"(?<![A-Za-z. ])([A-Za-z. ]+?),?\s\d{5}(?:-\d{4})?(?!\d)")


def state_code(written: str | None) -> str | None:
    """Return the code of a state in any usual spelling ("TX", "texas", "N. Mex."), or None (R80)."""
    if not written:
        return None
    return _CODE_BY_NAME.get(fold(written))


def fema_region(code: str | None) -> int | None:
    """Return the FEMA region of a state code, or None (R102)."""
    state = STATES.get(code or "")
    return state.region if state else None


def propose_state(address: str | None) -> str | None:
    """Return the code of the state in a one-line address, or None if it is not clear (T18)."""
    if not address:
        return None
    line = " ".join(address.split())
    for pattern in (_CODE_BEFORE_ZIP, _CODE_AT_END):
        for found in reversed(pattern.findall(line)):
            if found in STATES:
                return str(found)
    for found in reversed(_NAME_BEFORE_ZIP.findall(line)):
        # Find the longest final part that names a state: "Santa Fe New Mexico" → New Mexico.
        words = str(found).split()
        for start in range(max(0, len(words) - 5), len(words)):
            if code := _CODE_BY_NAME.get(fold(" ".join(words[start:]))):
                return code
    return state_code(line.rsplit(",", 1)[-1]) if "," in line else None
