"""Derive the marks by which the suppression ledger recognizes a person, alone or with a similar name (T9, T25)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from services.lexicon.canonical import LEGAL_FORMS, canonical_contact_point
from services.lexicon.folding import words
from services.lexicon.lookalikes import latin, skeleton

ORGANIZATION = "organization"
#: Kinds whose values always belong to one person.
PERSONAL = frozenset({"cell", "personal_phone"})

#: Providers of personal mailboxes, whose addresses match without a name.
_PERSONAL_MAIL = words(
    """
    gmail.com outlook.com hotmail.com live.com msn.com passport.com yahoo.com ymail.com rocketmail.com icloud.com aol.com aim.com
    proton.me gmx.com gmx.net gmx.us mail.com email.com usa.com zoho.com zohomail.com fastmail.com fastmail.fm hushmail.com
    tutanota.com tuta.com tuta.io duck.com hey.com pobox.com inbox.com mailbox.org posteo.net runbox.com startmail.com
    comcast.net xfinity.com verizon.net att.net sbcglobal.net bellsouth.net pacbell.net ameritech.net swbell.net
    cox.net charter.net spectrum.net rr.com twc.com earthlink.net mindspring.com optonline.net optimum.net juno.com netzero.net
    frontier.com frontiernet.net windstream.net centurylink.net centurytel.net embarqmail.com q.com suddenlink.net
    roadrunner.com wowway.com rcn.com cableone.net sonic.net hawaiiantel.net gci.net prodigy.net netscape.net excite.com
    lycos.com yandex.com yandex.ru mail.ru qq.com 163.com 126.com naver.com web.de t-online.de orange.fr wanadoo.fr free.fr
    laposte.net libero.it btinternet.com sky.com ntlworld.com rogers.com shaw.ca sympatico.ca telus.net bigpond.com
    """
)
#: The same providers in other countries, such as yahoo.co.uk, hotmail.fr or outlook.com.br.
_PERSONAL_MAIL_ABROAD = re.compile(r"(?:yahoo|ymail|hotmail|outlook|live|gmx|aol|msn|icloud)\.(?:[a-z]{2}|com?\.[a-z]{2})")

#: Words that are optional in the names of organizations.
_LEFT_OUT = words("the of and for de la und et y")
_LEGAL_FORMS = LEGAL_FORMS | words("se kg ev pbc dba lc chartered")
_ABBREVIATED = {
    "assn": "association", "assoc": "association", "asn": "association", "assocs": "associates", "dept": "department", "dep": "department",
    "univ": "university", "u": "university", "natl": "national", "nat": "national", "intl": "international", "int": "international",
    "govt": "government", "gov": "government", "cmte": "committee", "comm": "committee", "cttee": "committee", "fed": "federation",
    "inst": "institute", "fdn": "foundation", "fndn": "foundation", "found": "foundation", "ctr": "center", "centre": "center", "cntr": "center",
    "svc": "service", "svcs": "services", "serv": "services", "mgmt": "management", "mgt": "management", "mfg": "manufacturing",
    "bros": "brothers", "tech": "technology", "technologies": "technology", "techs": "technology", "hosp": "hospital", "labs": "laboratories",
    "lab": "laboratories", "laboratory": "laboratories", "grp": "group", "sys": "systems", "st": "saint", "ft": "fort", "mt": "mount",
    "amer": "american", "am": "american", "us": "united states", "usa": "united states", "org": "organization", "org'n": "organization",
    "soc": "society", "coun": "council", "cncl": "council", "cty": "county", "cnty": "county", "dist": "district", "div": "division",
    "ofc": "office", "off": "office", "bd": "board", "comn": "commission", "commn": "commission", "auth": "authority", "admin": "administration",
    "agcy": "agency", "acad": "academy", "coll": "college", "sch": "school", "dev": "development", "ind": "industries", "inds": "industries",
    "ent": "enterprises", "ents": "enterprises", "hldgs": "holdings", "hldg": "holdings", "prods": "products", "eng": "engineering",
    "engrg": "engineering", "env": "environmental", "fin": "financial", "ins": "insurance", "med": "medical", "ntl": "national",
    "co op": "cooperative", "coop": "cooperative", "bur": "bureau", "chmbr": "chamber", "n": "north", "s": "south", "e": "east", "w": "west",
}  # fmt: skip
#: Signs in place of letters, between letters.
_SIGNS_FOR_LETTERS = ((re.compile(r"(?<=[^\W\d_])@(?=[^\W\d_])"), "a"), (re.compile(r"(?<=[^\W\d_])\$|\$(?=[^\W\d_])"), "s"))
_LETTERS_IN_A_ROW = re.compile(r"\b(?:\w )+\w\b")
#: The longest name of an organization that is searched among other words, and the most words that a field can have.
_WORDS_OF_A_NAME = 8
_WORDS_OF_A_TEXT = 100
#: Separators between a title and an employer.
_WITH_WHOM = re.compile(r"(?<!\s)\s++(?:at|with|for|from)\s+|(?:(?<!\s)\s++)?[,@|;/()\[\]]\s*|(?<!\s)\s++[-\u2013\u2014]\s+", re.IGNORECASE)
#: Words that describe a position and name no organization.
_POSITION = words(
    """
    director manager president vice chief officer executive senior junior staff counsel attorney partner associate assistant deputy head
    lead chair chairman chairwoman chairperson secretary treasurer member fellow analyst advisor adviser consultant coordinator specialist
    administrator engineer professor dean policy public government affairs relations communications operations finance legal marketing
    sales external federal state local strategy technology information security research programs program outreach development human
    resources general national international retired former acting interim principal founder owner ceo cfo coo cto cio evp svp vp
    """
)


@dataclass(frozen=True, slots=True)
class Mark:
    """A value that identifies a person, in the form that the ledger compares."""

    kind: str
    canonical: str
    #: Whether it matches alone, or only with a similar name.
    alone: bool


def marks_of(*, organizations: Iterable[str] = (), texts: Iterable[str] = (), contact_points: Iterable[tuple[str, str]]) -> list[Mark]:
    """Return the marks of a person.

    :param organizations: names of present and former employers.
    :param texts: titles and similar texts, which may name an employer after "at", a comma or a dash.
    """
    named = [*organizations, *(name for written in texts for name in employers_in(written))]
    marks = {(mark.kind, mark.canonical): mark for kind, value in contact_points if (mark := mark_of(kind, value))}
    for name in named:
        if form := organization_form(name):
            marks[ORGANIZATION, form] = Mark(ORGANIZATION, form, alone=False)
    return list(marks.values())


def mark_of(kind: str, value: str) -> Mark | None:
    """Return the mark of a contact point, or None if it identifies nobody."""
    canonical = canonical_contact_point(kind, value)
    if canonical is None or kind == "work_address":
        return None
    return Mark(kind, compared(kind, canonical), is_alone(kind, canonical))


def asked_of(*, texts: Iterable[str], points: Iterable[tuple[str, str | None]]) -> list[tuple[str, str]]:
    """Return the kinds and values to look up for a candidate.

    :param texts: all fields that may contain the name of an organization; the organization comes first.
    :param points: kinds and canonical values.
    """
    found = {(kind, compared(kind, canonical)): None for kind, canonical in points if canonical is not None and kind != "work_address"}
    for written in texts:
        found |= {(ORGANIZATION, form): None for form in _names_in(written)}
    return list(found)


def compared(kind: str, canonical: str) -> str:
    """Return a canonical value in the form that the ledger compares: an e-mail address without its tag and similar letters."""
    if kind != "email":
        return canonical
    local, _, domain = canonical.rpartition("@")
    drawn = f"{_drawn(local.partition('+')[0] or local)}@{_drawn(_unpunycoded(domain)).removeprefix('www.')}"
    # In Latin letters it may be an address of a provider that ignores parts of the spelling.
    return (canonical_contact_point(kind, drawn) or drawn) if drawn != canonical else canonical


def organization_form(name: str) -> str:
    """Return the name of an organization in the form that the ledger compares, which may be empty.

    Blanks and a final "s" are ignored: "Larkspur Levees", "LarkspurLevees" and "Larkspur Levee" are the same.
    """
    parts = _content(name)
    while len(parts) > 1 and parts[-1] in _LEGAL_FORMS:
        parts.pop()
    return "".join(_compared_word(word) for word in parts)


def employers_in(title: str) -> list[str]:
    """Return the parts of a title that may name an employer, as in "Counsel, Heritage Mills" or "Director at Heritage Mills"."""
    _, *others = _WITH_WHOM.split(title)
    return [part for part in others if part and set(_content(part)) - _POSITION]


def is_alone(kind: str, canonical: str) -> bool:
    """Return whether a canonical value belongs to one person, so that it matches without a name."""
    if kind != "email":
        return kind in PERSONAL
    domain = canonical.rpartition("@")[2]
    return domain in _PERSONAL_MAIL or _PERSONAL_MAIL_ABROAD.fullmatch(domain) is not None


def _content(written: str) -> list[str]:
    for sign, letter in _SIGNS_FOR_LETTERS:
        written = sign.sub(letter, written)
    # "I.B.M." folds to "i b m"; adjacent single letters are one word.
    folded = _LETTERS_IN_A_ROW.sub(lambda run: run[0].replace(" ", ""), latin(written))
    parts = " ".join(_ABBREVIATED.get(word, word) for word in folded.split()).split()
    return [word for word in parts if word not in _LEFT_OUT] or parts


def _compared_word(word: str) -> str:
    drawn = skeleton(word)
    return drawn[:-1] if len(drawn) > 3 and drawn.endswith("s") and not drawn.endswith("ss") else drawn


def _names_in(written: str) -> list[str]:
    found: dict[str, None] = {}
    before, comma, behind = written.partition(",")
    # "Texas, University of" is the University of Texas.
    for text in (written, f"{behind} {before}") if comma else (written,):
        parts = [_compared_word(word) for word in _content(text)[:_WORDS_OF_A_TEXT]]
        ends = ((begin, end) for begin in range(len(parts)) for end in range(begin + 1, min(begin + _WORDS_OF_A_NAME, len(parts)) + 1))
        found |= {"".join(parts[begin:end]): None for begin, end in ends}
        if whole := organization_form(text):
            found[whole] = None
    return list(found)


def _unpunycoded(domain: str) -> str:
    """Return a domain in its Unicode letters, or unchanged if it can't be decoded."""
    if "xn--" not in domain:
        return domain
    try:
        return domain.encode("ascii").decode("idna")
    except UnicodeError:
        return domain


def _drawn(written: str) -> str:
    return written if written.isascii() else re.sub(r"[^\w.+-]", "", "".join(latin(c) or c for c in written))
