"""Detect forbidden columns by the words of their names and by their contents (R13, R41, R193)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from services.lexicon.folding import fold, words

PARTY: Final = ("Party affiliation is not held.", "R13")
BIRTH: Final = ("Dates of birth are not held.", "R193")
GENDER: Final = ("Gender is not held.", "R193")
ORIGIN: Final = ("Race, ethnicity and religion are not documented.", "R41")
BELONGING: Final = ("Such attributes are not documented.", "R41")
FAX: Final = ("Fax numbers are not held.", "R13")
WEB: Final = ("Web sites of individuals are not held.", "R13")
ONLINE: Final = ("The system does not hold this.", "R13")
NUMBERS: Final = ("Numbers that identify a person to others are not held.", "R193")
HOME: Final = ("Only the work address is held, not where somebody lives.", "R34")
PRIVATE: Final = ("The private life of a person is not held.", "R193")
PICTURE: Final = ("Pictures are not held.", "R13")
BODY: Final = ("Such attributes are not held.", "R193")
NOT_LISTED: Final = ("This is not among what the system holds.", "R13")

Reason = tuple[str, str]

#: Words that make a name forbidden, anywhere in it, also with an "s" at their end.
_WORDS: Final[dict[Reason, str]] = {
    PARTY: "party partisan partisanship republican democrat democratic gop pac polparty polaff",
    BIRTH: """dob birth birthday birthdate bday bdate birthplace birthyear born yob nacimiento geburtsdatum geburtstag geb naissance age
        birthdt dateofbirth dobirth doborn birthmonth brthdt brthdate""",
    GENDER: "gender gndr sex pronoun transgender lgbt lgbtq lgbtqia genre geschlecht genero",
    ORIGIN: """race racial ethnicity ethnic ethn ethnicgroup raceethnicity religion religious relig rel faith denomination hispanic latino
        latina latinx creed raza religione konfession ethnie bipoc""",
    BELONGING: """nationality citizenship citizen immigration language lang nativity orientation sexuality veteran vet union disabled
        minority ancestry caste heritage tribalaffiliation mothertongue""",
    FAX: "fax faxes telefax facsimile telex isdn tty tdd pager beeper ttytdd",
    WEB: "website url homepage weblink webpage blog",
    ONLINE: """twitter facebook youtube instagram linkedin skype tiktok whatsapp telegram wechat snapchat mastodon rss im imaddress jabber
        icq aim screenname""",
    NUMBERS: """ssn itin tin passport license licence iban anumber anum alien uscis ein fein socsec ssan socialsecurity driverlicense
        nationalid dl edipi payroll creditcard routing""",
    PRIVATE: """spouse husband wife fiance fiancee children child kids dependents dependants anniversary hobby hobbies marital married
        maritalstatus maiden relatives nextofkin spousename divorced widowed partnername""",
    PICTURE: "photo picture photograph headshot avatar portrait",
    BODY: """salary salaries wage income networth compensation disability disabilities medical diagnosis medication allergy allergies
        handicap bloodtype blood vaccination vaccine illness pregnancy pregnant dietary diet weight arrest conviction criminal creditscore
        bankruptcy biometric fingerprint""",
}

#: Words that make a name forbidden together, in any order.
_TOGETHER: Final[dict[Reason, str]] = {
    PARTY: """political affiliation|political view|political leaning|pol aff|pol affiliation|political preference|voter registration
        |registered voter|voter status""",
    BIRTH: "place birth|year birth|date birth|fecha nac|date naissance|month birth|day birth|birth year|d birth",
    GENDER: "m f|male female|sexual preference",
    ORIGIN: """ethnic group|ethnic origin|national origin|church membership|house worship|relig aff|tribal affiliation|tribal enrollment
        |tribe membership|tribal membership""",
    BELONGING: """immigration status|country birth|country origin|union membership|military status|military service|visa status|visa type
        |visa number|green card|naturalization date|first generation|sexual orientation""",
    WEB: "web site|web page|home page|internet free busy|web address",
    ONLINE: "contact form|social media|instant messaging|screen name|messenger id|directory server|social profile",
    NUMBERS: """social security|social sec|soc sec|ss number|ss no|driver license|drivers license|driver s license|government id
        |employee id|employee number|tax id|taxpayer id|a number|alien number|national id|identity number|id number|billing information
        |account number|bank account|credit card|known traveler|redress number|medicare number|personal id|badge number
        |customer id government""",
    HOME: """home address|home street|home city|home state|home postal code|home zip|home zipcode|home country|home country region
        |home po box|residential address|residence address|private address|personal address|home addr|residential street|residential city
        |residential state|residential zip|personal street|personal city|personal zip|home town|home county|home region|home postcode
        |home extended address|lives in|home suburb|residence city|residence state|street home|home label""",
    PRIVATE: """family members|family member|referred by|marriage date|wedding date|significant other|next kin|emergency contact
        |relation value|relation type|relation label|related name|related names|family status|number children|son daughter
        |religious holiday|domestic partner|life partner|event value|event type|event label|family size|civil status""",
    BODY: """net worth|pay grade|blood type|eye color|hair color|health status|health condition|health conditions|health insurance
        |health issues|health info|health information|health notes|special needs|mental health status|credit score|criminal record
        |police record|special accommodations|hair colour""",
}

#: Names that are forbidden only as a whole.
_ALONE: Final[dict[Reason, str]] = {
    PARTY: "caucus|d r|r d|d r i",
    BIRTH: "b day|bd|d o b|doby|b date|birth",
    GENDER: "sx|m f|mf|f m|gen|man woman",
    ORIGIN: "church|parish|mosque|synagogue|eth|rce|color|colour|skin color|race eth",
    BELONGING: "lang|visa|native language|tribal member|military|status immigration",
    WEB: "link|web|site url|internet free busy|form",
    NUMBERS: "ss|a|a no|ss n|id no|account|s s n|soc|license no|dl no",
    PRIVATE: "partner|marriage|family|m status|kids names|schools|school",
    PICTURE: "image|pic|logo",
    BODY: "health|height|pay|comp|needs|diets",
}

_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_LETTERS: Final = re.compile(r"(?<![a-z0-9])(?:[a-z] ){1,4}[a-z](?![a-z0-9])")
_EMAIL: Final = re.compile(r"\be mail\b")

_BY_WORD: Final = {word: reason for reason, row in _WORDS.items() for word in row.split()}
_BY_NAME: Final = {words(name): reason for reason, names in _ALONE.items() for name in names.split("|")}
_BY_SET: Final = tuple((words(name), reason) for reason, names in _TOGETHER.items() for name in names.split("|"))
#: Words that are ignored: in "number of children", "of" does not matter.
_FILLERS: Final = words("of the s a and or is was your their his her in to for no what please enter optional contact member value")
#: Exceptions: agencies and offices have such words in their names.
_EXCEPTIONS: Final = """
    third party|responsible party|union name|health department|health district|health system|health agency|veterans affairs|age group served
    |average age|license plate office|child agency|languages served|family name|family services|human race|union office|citizen advocate
    |immigration court|immigration office|citizenship office|credit union
"""
_HARMLESS: Final = tuple(words(name) for name in _EXCEPTIONS.split("|"))


def words_of(column: str) -> list[str]:
    """Return the words of a column name, so that "dateOfBirth" and "DATE_OF_BIRTH" have the same words."""
    text = _EMAIL.sub("email", fold(_CAMEL.sub(" ", column)))
    return _LETTERS.sub(lambda run: run[0].replace(" ", ""), text).split()


def by_name(column: str) -> Reason | None:
    """Return why a column of that name is forbidden, or None."""
    folded = fold(column)
    if folded.startswith("card field "):
        return NOT_LISTED
    said = [word for word in words_of(column) if not word.isdigit()]
    stripped = [word.rstrip("0123456789") or word for word in said]
    all_words = frozenset(stripped)
    if any(harmless <= all_words for harmless in _HARMLESS):
        return None
    if reason := _BY_NAME.get(all_words) or _BY_NAME.get(all_words - _FILLERS):
        return reason
    for together, reason in _BY_SET:
        if together <= all_words:
            return reason
    for word in stripped:
        if reason := _BY_WORD.get(word) or _BY_WORD.get(word.removesuffix("s")):
            return reason
    # Names in one word, such as "DateofBirth" and "memberparty".
    packed = "".join(stripped)
    return next((reason for word, reason in _PACKED.items() if word in packed), None)


#: Words that are long enough not to occur in other words by chance.
_PACKED: Final = {
    word: reason
    for reason, row in {
        BIRTH: "dateofbirth birthdate birthday yearofbirth placeofbirth",
        ORIGIN: "ethnicity religion religious",
        PARTY: "politicalparty partyaffiliation",
        PRIVATE: "maritalstatus spousename",
        NUMBERS: "socialsecurity passportn driverslicense driverlicense aliennumber",
        BELONGING: "citizenship nationality",
        BODY: "disabilit",
        HOME: "homeaddress homestreet homecity homezip",
        FAX: "faxnumber businessfax homefax workfax",
    }.items()
    for word in row.split()
}

_SSN: Final = re.compile(r"(?!000|666)[0-8]\d\d([- ])(?!00)\d\d\1(?!0000)\d{4}")
_ALIEN: Final = re.compile(r"A[- ]?\d{3}[- ]?\d{3}[- ]?\d{3}|A\d{8,9}")
_DATE: Final = re.compile(
    r"(?:\d{1,2}[./-]\d{1,2}[./-](\d{4}|\d\d)|(\d{4})-\d{1,2}-\d{1,2}(?:[T ].*)?|(?:\d{1,2} )?[A-Za-z]{3,9}\.? (?:\d{1,2},? )?(\d{4}))"
)
#: Contents that forbid a column: the number of different values that is enough, and the reason.
_CLOSED: Final[tuple[tuple[frozenset[str], int, Reason], ...]] = tuple(
    (frozenset(" ".join(said.split()) for said in closed.split("|")), distinct, reason)
    for closed, distinct, reason in (
        ("m|f|male|female|man|woman|x|nonbinary|non binary|nb|other|prefer not to say|she her|he him|they them|boy|girl", 1, GENDER),
        (
            """democrat|republican|democratic|dem|rep|gop|d|r|i|ind|independent|libertarian|green|l|unaffiliated|no party|npa
            |democratic party|republican party|nonpartisan|dfl|libertarian party|green party|democrats|republicans""",
            1,
            PARTY,
        ),
        (
            """white|black|asian|hispanic|latino|latina|latinx|african american|caucasian|native american|pacific islander
            |american indian|alaska native|two or more races|multiracial|non hispanic|not hispanic|hispanic or latino
            |not hispanic or latino|black or african american|middle eastern|native hawaiian|biracial|white non hispanic|other
            |american indian or alaska native""",
            2,
            ORIGIN,
        ),
        (
            """christian|catholic|protestant|jewish|muslim|islam|hindu|buddhist|sikh|mormon|lds|baptist|methodist|lutheran|orthodox
            |evangelical|atheist|agnostic|roman catholic|judaism|christianity|hinduism|buddhism|none|episcopalian|presbyterian
            |pentecostal|quaker|bahai|unitarian""",
            2,
            ORIGIN,
        ),
        ("single|married|divorced|widowed|separated|domestic partner|domestic partnership|never married|engaged|s|w", 2, PRIVATE),
        (
            """a pos|b pos|o pos|ab pos|a neg|b neg|o neg|ab neg|a positive|b positive|o positive|a negative|b negative|o negative
            |ab positive|ab negative""",
            1,
            BODY,
        ),
        (
            """us citizen|permanent resident|lawful permanent resident|lpr|green card|daca|h1b|h 1b|f1|asylee|refugee|undocumented
            |naturalized|citizen""",
            1,
            BELONGING,
        ),
    )
)
#: In these columns, single letters count only if they are nearly certain.
_LETTERS_ONLY: Final = 3


def by_contents(values: Iterable[str]) -> Reason | None:
    """Return why the contents of a column are forbidden, or None. A harmless heading does not hide social security numbers."""
    cells = [value.strip() for value in values if value.strip()][:500]
    if not cells:
        return None
    if sum(bool(_SSN.fullmatch(cell) or _ALIEN.fullmatch(cell)) for cell in cells) * 2 >= len(cells):
        return NUMBERS
    if sum(_is_of_birth(cell) for cell in cells) * 5 >= len(cells) * 3:
        return BIRTH
    folded = [fold(cell.replace("+", " pos").replace("-", " neg") if len(cell) < 4 else cell) for cell in cells]
    distinct = set(folded)
    for closed, least, reason in _CLOSED:
        telling = max(map(len, distinct)) > 1 or (len(cells) >= _LETTERS_ONLY and len(distinct) > 1)
        if distinct <= closed and len(distinct) >= least and telling:
            if reason is GENDER and not distinct & {"m", "f", "male", "female", "man", "woman", "she her", "he him", "they them", "boy", "girl"}:
                continue
            if reason is PARTY and distinct <= {"i", "l", "green", "ind", "independent"}:
                continue
            return reason
    return None


def is_number_of_person(text: str) -> bool:
    """Return whether a cell is a government number of a person."""
    return bool(_SSN.fullmatch(text.strip()))


def _is_of_birth(cell: str) -> bool:
    found = _DATE.fullmatch(cell)
    if not found:
        return False
    year = next(part for part in found.groups() if part)
    # Two digits are years of the last century, because lists of contacts have no dates in the 2030s.
    number = int(year) if len(year) == 4 else 1900 + int(year) if int(year) > 30 else 2000 + int(year)
    return 1900 <= number <= 2008
