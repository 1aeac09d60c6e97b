"""Screen text: find contact values and terms, and decide from the context whether a term is about a person.

1. Contact values are found by patterns and always held, because they belong in a contact point (T15).
2. Terms are found by the automaton.
3. A term inside a name (of an organization, a place, a person called Christian) is ignored.
4. A term in a phrase with another meaning ("race to the deadline") is ignored.
5. A term about a person is held. Otherwise a strong term is asked about, and a weak one is ignored.
"""

import itertools
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final

import phonenumbers

from services.lexicon.folding import words
from services.lexicon.screening.automaton import Automaton, Match, Token, tokens_of
from services.lexicon.screening.findings import SAYS, Finding
from services.lexicon.screening.patterns import personal_patterns, spoken_numbers
from services.lexicon.screening.terms import all_terms

# Every repetition is bounded, and an address cannot start after a character of an address, so hostile text takes a single
# pass.
_EMAIL: Final = re.compile(
    r"(?<![\w.!#$%&'*+/=?^`{|}~-])[\w.!#$%&'*+/=?^`{|}~-]{1,64}\s?(?:[@＠]|\(at\)|\[at\])\s?[\w-]{1,63}"
    r"(?:\s?(?:\.|\(dot\)|\[dot\])\s?[\w-]{1,63}){1,8}"
    # "dov_b at example.org": a word with punctuation is not followed by a place.
    r"|(?<![\w.+-])(?=[a-z\d]{1,32}[_.+])[\w.+-]{1,64}\s{1,3}at\s{1,3}[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"
    # Spoken: "dov at example dot org", but not "meet me at example.org".
    r"|(?<![\w.+-])[\w.+-]{1,64}\s{1,3}at\s{1,3}[\w-]{1,63}(?:\s{1,3}dot\s{1,3}[\w-]{1,63}){1,8}",
    re.IGNORECASE,
)
_PHONE: Final = re.compile(r"(?<![\w.,/$€£#-])(?:tel:)?(?:\+|00)?\(?\d(?:[\s().\-/\u2010-\u2015]{0,2}\d){6,14}(?![\w%-]|[.,]\d)")
#: A letter O in place of a zero: "512-555-O177".
_LETTER_O: Final = re.compile(r"(?<=\d)[Oo](?=\d)|(?<=\d-)[Oo](?=\d)")
_LOCAL_PHONE: Final = re.compile(r"(?<![\d-])\d{3}[-.\s]\d{4}(?!\d|-\d)")
_DATE_LIKE: Final = re.compile(
    r"^(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:\s\d{1,2})?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}"
    r"|(?:19|20)\d\d\s?[-\u2013/]\s?(?:19|20)\d\d|\d{5}-\d{4})$"
)
#: Tariff and air waybill numbers, which have as many digits as telephone numbers but other separators.
_TARIFF: Final = re.compile(r"^(?:\d{4}\.\d{2}\.\d{4}|\d{3}[- ]\d{8})$")
_LOCAL_DIGITS: Final = 7
#: The most words on each side of a term that may belong to the same name.
_LONGEST_NAME: Final = 12
_CALLING: Final = words("call phone cell mobile tel telephone number ring text reach dial fax at")

_ORGANIZATION_WORDS: Final = words(
    """
    church mosque synagogue temple diocese archdiocese conference council charities charity association
    society institute university college school seminary hospital services service center centre foundation
    coalition federation league committee congress caucus chamber relief nation nations tribe tribes band
    pueblo community communities authority administration agency department office bureau ministry ministries
    embassy consulate government fund trust bank airlines company corporation inc llc group alliance network
    mission order brotherhood sisterhood knights army union board museum library festival parade commission
    cemetery convention synod parish house program liaison leaders organization organizations groups affairs
    trade clergy consortium academy initiative project forum press times radio television club clubs
    partnership collaborative advocates fellowship immigration refugee social family health healthcare medical
    month week task force lodge rotary hospitals schools colleges universities
    """
)
_PLACE_WORDS: Final = words(
    """
    county river creek lake mountain mountains hills hill city street avenue road bay island islands plains
    forest park airport bridge valley springs beach fort mount reservation rancheria nation hall square
    """
)
_TITLES: Final = words("mr mrs ms miss mx dr sheriff chief mayor senator rep sen gov governor judge director professor prof captain")
_PERSON_WORDS: Final = words(
    """
    he she they him her his hers their them who man woman men women person people guy lady gentleman male
    female husband wife family families parents mother father son daughter stakeholder contact director
    senator representative mayor sheriff attorney himself herself employee someone somebody is was
    liaison deputy chief caller coordinator manager assistant clerk officer secretary president chair owner both
    """
)
_SUBJECTS: Final = words("he she they i who himself herself")
_BEING: Final = words(
    """
    is was are were being be been becomes became identifies identified identify considers looks appears seems
    s re m practicing practising raised born converted serves served ordained
    """
)
_BETWEEN: Final = words(
    """
    a an the very also not now half part mostly devoutly devout practicing practising proud as to be openly
    self described of himself herself and or deeply strongly quite first second third generation
    converted ethnically racially young old older elderly lifelong active member former
    """
)
#: Words before an illness that a person has.
_HAVING: Final = words("has have had having suffers suffering suffered diagnosed battling beat survived with fighting fought lives from")
#: Words after a term that is a subject matter: "a diabetes researcher", "gay rights", "Republican senator".
_SUBJECT_MATTER: Final = words(
    """
    research researcher researchers program programs clinic clinics center centre prevention education educator
    specialist nurse doctor patients patient awareness treatment funding grant grants epidemic crisis screening
    testing policy policies rights community communities marriage bar bars pride caucus organizations advocates
    advocate advocacy youth issues movement group groups day month senator representative congressman
    congresswoman governor mayor leader leaders member members candidate candidates nominee party senators
    governors mayors staff staffer side majority minority leadership spot spots trust faith data rates rate
    services service support surge line of institute society association foundation walk care camp event
    """
)
_ASKED_ONLY: Final = frozenset({"politics", "union membership"})
_FILES: Final = words(
    """
    case invoice docket tracking grant file claim ref reference order po contract receipt ticket account id permit
    award tariff hts entry shipment manifest bill container serial part model isbn ein duns uei fein
    """
)
_HUMAN_NOUNS: Final = words(
    """
    man woman men women male female guy lady gentleman person people individual american americans husband
    wife family parents immigrant descent heritage background ancestry origin himself herself convert believer
    leader lawyer official businessman businesswoman activist conservative liberal voter resident
    nurse teacher farmer veteran driver owner pastor minister couple kid child children boy girl colleague parentage ancestors
    """
)
_OTHER_MEANINGS: Final = frozenset(
    """black box|black market|black friday|black list|black hawk|black sea|black ink|black belt
    black swan|black and white|in the black|black tie|black start|black water|black mold
    white house|white paper|white papers|white board|white collar|white list|white water
    white plains|white river|white mountain|white space|white label|white hat|white noise
    brown field|brown act|brown bag|brown out|race to|race against|race for|race condition
    race track|race course|race car|race in|the race|a race|arms race|horse race|close race
    senate race|house race|governors race|mayoral race|rat race|human race|foot race|road race
    native speaker|native format|native app|native language|native file|native plants|native of
    texas native|spanish speaking|spanish language|arabic language|arabic speaking|arabic speaker
    speaks spanish|speaks arabic|speaks chinese|in spanish|in arabic|in chinese|in russian
    good faith|bad faith|faith in|faith based|act of faith|leap of faith|full faith|faith that
    orthodox view|orthodox approach|indian ocean|indian country|indian affairs|indian health
    chinese government|russian government|mexican government|mexican border|mexican consulate
    iranian regime|polish the|polish up|polish this|polish it|greek letter|turkish airlines
    german shepherd|italian restaurant|chinese restaurant|mexican restaurant|apache server
    apache helicopter|jeep cherokee|cherokee county|dominican republic|religious freedom
    religious liberty|religious worker|religious workers|freedom of religion|temple university
    race and ethnicity|ethnicity data|blind to|blind spot|blind spots|blind copying|blind copy|blind carbon|hearing aids|aids for|aids to
    asian carp|asian development|salvation army""".replace("\n", "|").split("|")
)

_AGED: Final = re.compile(r",\s(?:(?:in\s(?:his|her|their)\s)?(?:mid|early|late|about)[\s-]{1,2})?\d{2}(?:'?s)?\b(?![%:./])")
#: What follows a word between commas, if it is not an item of a list.
_APPOSED: Final = re.compile(r"(?:,(?!\s(?:and|or)\b)\s[a-z0-9]|[.;)]|\s*$)")
_COLON: Final = re.compile(r"\s{0,4}[:=]")
_LABELS: Final = words("race ethnicity religion faith heritage descent background nationality denomination")
_CONTRACTED: Final = re.compile(r"['’](?:s|re|m)$", re.IGNORECASE)

_WHY: Final = {
    "phone": "A phone number belongs in a contact point, where the firewall holds it.",
    "email": "An e-mail address belongs in a contact point, where the firewall holds it.",
    "ask": "This word may speak of {klass}, which the system does not document.",
    "hold": SAYS,
}


#: Characters; longer texts take more than a few milliseconds, up to 170 for 20,000 characters.
LONG: Final = 2_000
_of_long_texts: Callable[[str], list[Finding] | None] | None = None


def screen_long_texts_by(screener: Callable[[str], list[Finding] | None]) -> None:
    """Set the function that screens long texts; if it returns None, they are screened in this process."""
    global _of_long_texts  # noqa: PLW0603 - a process has one
    _of_long_texts = screener


def screen(text: str) -> list[Finding]:
    """Find what shared text must not contain, in the order of the text (R41, T15, N8)."""
    if _of_long_texts is not None and len(text) > LONG:
        found = _of_long_texts(text)
        if found is not None:
            return found
    return screen_here(text)


def screen_here(text: str) -> list[Finding]:
    """Screen a text in this process."""
    findings: list[Finding] = []
    taken = bytearray(len(text))
    tokens = tokens_of(text)
    for found in itertools.chain(personal_patterns(text), _contact_values(text, tokens)):
        if not any(taken[found.start : found.end]):
            findings.append(found)
            taken[found.start : found.end] = b"\1" * (found.end - found.start)
    for match in _automaton().matches(tokens):
        verdict = _verdict(text, tokens, match)
        if verdict is None:
            continue
        start, end = tokens[match.first].start, tokens[match.last].end
        if any(taken[start:end]):
            continue
        klass = match.term.klass
        findings.append(Finding(start, end, klass, verdict, _WHY[verdict].format(klass=klass)))
    return sorted(findings, key=lambda found: (found.start, found.end))


def contact_values(text: str) -> list[Finding]:
    """Find telephones and e-mails only, in the order of the text (T15, T32)."""
    return sorted(_contact_values(text, tokens_of(text)), key=lambda found: found.start)


@lru_cache(maxsize=1)
def _automaton() -> Automaton:
    return Automaton(all_terms())


def _contact_values(text: str, tokens: list[Token]) -> Iterator[Finding]:
    taken = bytearray(len(text))

    def is_free(found: re.Match[str]) -> bool:
        return not any(taken[found.start() : found.end()])

    def take(found: re.Match[str], klass: str, verdict: str) -> Finding:
        taken[found.start() : found.end()] = b"\1" * (found.end() - found.start())
        return Finding(found.start(), found.end(), klass, verdict, _WHY[klass])

    for found in _EMAIL.finditer(text):
        yield take(found, "email", "hold")
    for found in _PHONE.finditer(_LETTER_O.sub("0", text)):
        if is_free(found) and _is_phone(text, found):
            yield take(found, "phone", "hold")
    for found in _LOCAL_PHONE.finditer(text):
        if is_free(found) and _words_before(text, found.start()) & _CALLING:
            yield take(found, "phone", "ask")
    for start, end in spoken_numbers(text, tokens):
        if not any(taken[start:end]):
            yield Finding(start, end, "phone", "hold", _WHY["phone"])


def _words_before(text: str, start: int) -> set[str]:
    return {token.word for token in tokens_of(text[max(0, start - 40) : start])[-4:]}


def _is_phone(text: str, found: re.Match[str]) -> bool:
    written = found[0].strip()
    digits = re.sub(r"\D", "", written)
    if _DATE_LIKE.match(written) or _TARIFF.match(written) or len(digits) <= _LOCAL_DIGITS:
        return False
    try:
        number = phonenumbers.parse(written, "US")
    except phonenumbers.NumberParseException:
        return False
    before = _words_before(text, found.start())
    if written.isdecimal() and before & _FILES:
        return False
    if written.startswith("00"):
        return phonenumbers.is_valid_number(number) or bool(before & _CALLING)
    if written.startswith(("+", "tel:")) or number.country_code != 1:
        return phonenumbers.is_possible_number(number)
    # File and grant numbers are as long, but North American telephone numbers have their own shape.
    national = str(number.national_number)
    return re.fullmatch(r"[2-9]\d{2}[2-9]\d{6}", national) is not None and (
        re.search(r"\D", written) is not None or bool(before & _CALLING) or phonenumbers.is_valid_number(number)
    )


def _verdict(text: str, tokens: list[Token], match: Match) -> str | None:
    before = [token.word for token in tokens[max(0, match.first - 5) : match.first]]
    after = [token.word for token in tokens[match.last + 1 : match.last + 4]]
    phrase = " ".join(token.word for token in tokens[match.first : match.last + 1])
    if match.term.personal:
        if after and after[0] in _PLACE_WORDS and tokens[match.last + 1].written[:1].isupper():
            return None
        return "ask" if match.term.klass in _ASKED_ONLY else "hold"
    if _has_other_meaning(phrase, before, after) or _is_in_a_name(text, tokens, match):
        return None
    if _is_said_of_a_person(text, tokens, match, before, after):
        return "ask" if match.term.klass in _ASKED_ONLY else "hold"
    return None if match.term.weak else "ask"


def _has_other_meaning(phrase: str, before: list[str], after: list[str]) -> bool:
    last, first = before[-1:], after[:1]
    return any(
        " ".join(words) in _OTHER_MEANINGS
        for words in (
            [phrase, *first],
            [*last, phrase],
            [phrase, *after[:2]],
            [*before[-2:], phrase],
            [*last, phrase, *first],
        )
    )


def _is_in_a_name(text: str, tokens: list[Token], match: Match) -> bool:
    """Return whether the term is part of a name of an organization, a place or a person."""
    first, last = tokens[match.first], tokens[match.last]
    if not first.written[:1].isupper():
        return False
    run = _capitalized_run(text, tokens, match.first, match.last)
    neighbors = [tokens[i] for i in run if not match.first <= i <= match.last]
    if any(token.word in _ORGANIZATION_WORDS or token.word in _PLACE_WORDS for token in neighbors):
        return True
    if text[last.end : last.end + 3].strip().startswith("&") or text[max(0, first.start - 3) : first.start].strip().endswith("&"):
        return True
    # A weak term next to another capitalized word is a person's or place's name, unless that is a form of "to be":
    # "Christian Bale", "Jack Black", "White Plains". At the start of a sentence, only the word after it counts.
    return match.term.weak and any(token.word not in _PERSON_WORDS | _HUMAN_NOUNS | _BEING | _BETWEEN for token in neighbors)


def _capitalized_run(text: str, tokens: list[Token], first: int, last: int) -> range:
    def joins(a: Token, b: Token) -> bool:
        gap = text[a.end : b.start]
        is_initial = len(a.written) == 1 and a.written.isupper() and gap == ". "
        return is_initial or re.fullmatch(r"\s*(?:[&’'\-]\s*)?", gap) is not None

    small = {"of", "the", "and", "for", "in"}

    def reach(at: int, step: int) -> int:
        end = at
        while 0 <= end + step < len(tokens) and abs(end - at) < _LONGEST_NAME:
            a, b = sorted((end, end + step))
            if not joins(tokens[a], tokens[b]):
                break
            token = tokens[end + step]
            if token.written[:1].isupper():
                end += step
            elif token.word in small and 0 <= end + 2 * step < len(tokens):
                c, d = sorted((end + step, end + 2 * step))
                if not (tokens[end + 2 * step].written[:1].isupper() and joins(tokens[c], tokens[d])):
                    break
                end += 2 * step
            else:
                break
        return end

    return range(reach(first, -1), reach(last, 1) + 1)


def _is_said_of_a_person(text: str, tokens: list[Token], match: Match, before: list[str], after: list[str]) -> bool:
    if _is_labelled(text, tokens, match):
        return True
    if (
        match.term.klass in {"health", "politics", "orientation", "immigration status"}
        and after
        and after[0] in _SUBJECT_MATTER
        and _adjacent(text, tokens, match.last)
    ):
        return False
    if match.term.weak and _is_apposed(text, tokens, match):
        return True
    if before[-1:] in (["half"], ["part"]) and match.term.klass in {"race", "ethnicity", "religion"}:
        return True
    # "a black woman" as one term, and "he's Jewish" with a contracted verb.
    if match.term.klass == "race" and not match.term.weak and tokens[match.last].word in _HUMAN_NOUNS:
        return True
    if before and before[-1] in _SUBJECTS and _CONTRACTED.search(tokens[match.first - 1].written):
        return True
    # "black woman", "Muslim lawyer": the next word denotes a person.
    if after and after[0] in _HUMAN_NOUNS | {"american"} and _adjacent(text, tokens, match.last):
        return True
    if match.term.klass == "religion" and match.term.weak and _is_place_or_thing(tokens, match):
        # "attends a church", "goes to the mosque on Fridays".
        return bool({"attends", "attend", "goes", "go", "worships", "prays", "member"} & set(before)) or before[-1:] in (["his"], ["her"])
    # "she is a devout Catholic", "identifies as Latino": a form of "to be", with only small words between.
    being = _BEING | _HAVING if match.term.klass == "health" else _BEING
    for back, word in enumerate(reversed(before)):
        if word in _SUBJECTS and _CONTRACTED.search(tokens[match.first - back - 1].written):
            return True
        if word in being:
            subject = before[: len(before) - back - 1][-1:]
            return _is_personal(tokens, match.first - back - 1, subject)
        if word not in _BETWEEN:
            break
    # "his Jewish faith", "her Korean heritage".
    return bool(before) and before[-1] in {"his", "her", "their", "whose"} and not (after and after[0] in _ORGANIZATION_WORDS)


def _is_apposed(text: str, tokens: list[Token], match: Match) -> bool:
    """Return whether the term is an apposition to a person: "the mayor, Arab, prefers", "Black, 35", "(Asian)"."""
    if match.term.klass not in {"race", "ethnicity", "religion"} or _is_place_or_thing(tokens, match):
        return False
    after = text[tokens[match.last].end : tokens[match.last].end + 24]
    if _AGED.match(after):
        return True
    if match.first == 0:
        return False
    before = tokens[match.first - 1]
    gap = text[before.end : tokens[match.first].start].strip()
    is_enclosed = (gap == "(" and after.startswith(")")) or (gap == "," and _APPOSED.match(after) is not None)
    is_titled = gap == "(" and match.first > 1 and tokens[match.first - 2].word in _TITLES
    return is_enclosed and (is_titled or before.word in _PERSON_WORDS or before.word in _HUMAN_NOUNS or before.word.isdecimal())


def _is_place_or_thing(tokens: list[Token], match: Match) -> bool:
    return tokens[match.last].word in {"church", "mosque", "synagogue", "temple", "parish"}


def _is_labelled(text: str, tokens: list[Token], match: Match) -> bool:
    """Return whether the term is a label or its value, as in "Religion: Sikh"."""
    if tokens[match.last].word in _LABELS and _COLON.match(text, tokens[match.last].end):
        return True
    if match.first == 0 or tokens[match.first - 1].word not in _LABELS:
        return False
    return text[tokens[match.first - 1].end : tokens[match.first].start].strip() in {":", "=", "-", "–"}


def _adjacent(text: str, tokens: list[Token], last: int) -> bool:
    return text[tokens[last].end : tokens[last + 1].start].isspace()


def _is_personal(tokens: list[Token], being: int, subject: list[str]) -> bool:
    if not subject:
        # "Is Catholic", "Raised Jewish": notes about a person often have no subject.
        return True
    who = tokens[being - 1]
    return (
        subject[0] in _PERSON_WORDS | _SUBJECTS
        or subject[0] in _BETWEEN | _BEING | _HAVING
        or (who.written[:1].isupper() and subject[0] not in _ORGANIZATION_WORDS)
    )
