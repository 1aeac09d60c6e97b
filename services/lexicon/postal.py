"""Validate postal codes against their state (R80, T30)."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from services.lexicon.folding import fold, plain
from services.lexicon.places import STATES

#: The three-digit ZIP prefixes of each state; AA, AE and AP are the armed forces abroad.
_PREFIXES: Final = (
    "005 NY;006-007 PR;008 VI;009 PR;010-027 MA;028-029 RI;030-038 NH;039-049 ME;050-054 VT;055 MA;056-059 VT;060-062 CT;063 CT NY;"
    "064-069 CT;070-089 NJ;090-098 AE;099 AE NJ;100-149 NY;150-196 PA;197-199 DE;200 DC;201 VA;202-204 DC;205 DC MD VA;206-212 MD;"
    "214-219 MD;220-246 VA;247-268 WV;270-289 NC;290-299 SC;300-319 GA;320-339 FL;340 AA;341-342 FL;344 FL;346-347 FL;349 FL;"
    "350-352 AL;354-369 AL;370-385 TN;386-397 MS;398-399 GA;400-418 KY;420-427 KY;430-459 OH;460-479 IN;480-499 MI;500-516 IA;"
    "520-528 IA;530-532 WI;534-535 WI;537-549 WI;550-551 MN;553-567 MN;569 DC;570-577 SD;580-588 ND;590-599 MT;600-620 IL;622-629 IL;"
    "630-631 MO;633-641 MO;644-658 MO;660-662 KS;664-679 KS;680-681 NE;683-693 NE;700-701 LA;703-708 LA;710-714 LA;716-725 AR;"
    "726 AR MO;727-729 AR;730-731 OK;733 TX;734-738 OK;739 OK TX;740-741 OK;743-749 OK;750-770 TX;772-799 TX;800-816 CO;820-831 WY;"
    "832-833 ID;834 ID WY;835-838 ID;840-847 UT;850-853 AZ;855-857 AZ;859-860 AZ;863-865 AZ;870-871 NM;873-884 NM;885 TX;888 DC;"
    "889-891 NV;893-895 NV;897-898 NV;900-908 CA;910-928 CA;930-961 CA;962-966 AP;967 AS HI;968 HI;969 FM GU MH MP PW;970-979 OR;"
    "980-986 WA;988-994 WA;995-999 AK"
)
NOT_A_CODE: Final = "Not a postal code."
ELSEWHERE: Final = "The ZIP code is not of the state beside it."
ZERO_LOST: Final = "Four digits are a ZIP code without its zero only where the state beside it says so."

_HOME: Final = frozenset({"", "us", "usa", "united states", "united states of america", "u s a", "u s", "america"})
_ZIP: Final = re.compile(r"(\d{5})(?:[-\s\u2013]?(\d{4}))?(?:-?0000)?")
_SHORT_PLUS_FOUR: Final = re.compile(r"^(\d{3,4})[-\s](\d{4})$")
_DECIMALS: Final = re.compile(r"(\d+)[.,]0+")
#: Postal codes of other countries: "K1A 0B1", "SW1A 2AA", "75008", "D-53113".
_ABROAD: Final = re.compile(r"(?=.*\d)[A-Z0-9]{1,8}(?:[ -][A-Z0-9]{1,8}){0,2}", re.IGNORECASE)


@cache
def _states() -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for entry in _PREFIXES.split(";"):
        span, *codes = entry.split(" ")
        first, _, last = span.partition("-")
        for prefix in range(int(first), int(last or first) + 1):
            found[f"{prefix:03d}"] = frozenset(codes)
    return found


def states_of(zip_code: str) -> frozenset[str]:
    """Return the states in which a ZIP code may be; none for an invalid code."""
    return _states().get(zip_code[:3], frozenset())


def postal_code(written: str, *, state: str | None = None, country: str | None = None) -> tuple[str | None, str | None]:
    """Return (normalized postal code, None), or (None, reason) if it is rejected.

    :param state: the state of the address: a US code, or the name of a state abroad.
    """
    text = " ".join(plain(written).split()).lstrip("'").removeprefix("ZIP ").strip()
    if whole := _DECIMALS.fullmatch(text):
        text = whole[1]
    if not set(text) - set("0- "):
        return None, NOT_A_CODE
    at_home = fold(country or "") in _HOME
    american = state in STATES or state in {"AA", "AE", "AP"}
    if not at_home or (state and not american):
        return (text.upper(), None) if _ABROAD.fullmatch(text) else (None, NOT_A_CODE)
    text = _SHORT_PLUS_FOUR.sub(r"\1\2", text)
    if text.isdigit() and len(text) in {3, 4, 7, 8}:
        # A spreadsheet removed leading zeros.
        text = text.zfill(9 if len(text) > 5 else 5)
        if not american or state not in states_of(text):
            return None, ZERO_LOST
    if found := _ZIP.fullmatch(text):
        if not states_of(text):
            return None, NOT_A_CODE
        if american and state not in states_of(text):
            return None, ELSEWHERE
        return (f"{found[1]}-{found[2]}" if found[2] and found[2] != "0000" else found[1]), None
    if not american and re.search(r"[A-Za-z]", text) and _ABROAD.fullmatch(text):
        return text.upper(), None
    return None, ELSEWHERE if american and _ABROAD.fullmatch(text) else NOT_A_CODE
