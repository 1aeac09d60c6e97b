"""Split a full name into salutation, first name and last name (R27, R80)."""

import re
from functools import lru_cache
from typing import Any, Final

from msgspec import Struct

from services.lexicon.folding import even_signs, fold, plain, words
from services.lexicon.honorifics import is_also_name, is_suffix, is_title, leading_title, may_be_initials, trailing_suffix


class PersonName(Struct, frozen=True, array_like=True):
    """A name in the three stored fields, which may be empty."""

    salutation: str
    first_name: str
    last_name: str


#: Text in brackets or quotes: a nickname, or a suffix.
_ASIDE: Final = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]|[\"“”„«»]([^\"“”„«»]*)[\"“”„«»]|(?<![^\s,])'([^']+)'(?![^\s,])")
#: An elected person's party with state or district, in brackets after the name. The system stores no party (R13).
_PARTY: Final = re.compile(
    r"[(\[]\s*(?:d|r|i|l|g|dfl|dem|rep|ind|gop|democrat|democratic|republican|independent|libertarian|green)\.?"
    r"(?:\s*[-–—/,:]\s*[a-z]{2}(?:[-–—\s]?\d{1,2})?|\s*[-–—/,:]\s*[a-z]{4,})?\s*[)\]]",
    re.IGNORECASE,
)
#: Two given names joined by "and": a couple in one cell.
_COUPLE: Final = re.compile(r"\w\s*(?:&|\+|\b(?:and|y|und|et)\b)\s*\w", re.IGNORECASE)
#: A dash with spaces: in a double name, or before a description.
_WIDE_DASH: Final = re.compile(r"(?<=\w)\s+-+\s+(?=\w)")
#: Particles that may start a family name of several words.
_PARTICLES: Final = words(
    "de del della der den di da do dos das du des la las le los van von vom zu zur ten ter al el bin ibn ben abu st saint san santa mac mc"
)
#: Hispanic family names; two of them in a row are a double name, not a middle and a last name.
_HISPANIC: Final = words(
    """
    acevedo acosta aguilar aguirre alvarado alvarez amaya aponte aquino aranda arroyo avila ayala baez barrera barrios bautista benitez bermudez
    bernal bonilla borges bravo bustamante caballero cabrera calderon camacho campos cano cardenas cardona carrasco carrillo casas castaneda
    castellanos castillo castro cervantes chavez cisneros colon contreras cordero cordova coronado corona correa cortes cortez crespo cruz
    cuevas delgado diaz dominguez duarte duran echeverria enriquez escobar espinosa espinoza estrada fernandez ferrer figueroa flores
    franco fuentes galindo gallardo gallegos galvan gamboa garcia garza gomez gonzales gonzalez guerra guerrero gutierrez guzman henriquez
    hernandez herrera hidalgo huerta ibarra iglesias jaramillo jimenez juarez lara leal leon lopez lozano lucero lugo luna macias maldonado
    marin marquez marroquin martinez masto matos medina mejia melendez mendez mendoza mercado meza miranda molina montalvo montanez montero montes
    montoya mora morales moreno munoz murillo naranjo narvaez navarrete navarro nieto nieves novoa nunez obrador ocampo ocasio ochoa ojeda olivares
    olivas orellana orozco ortega ortiz osorio otero pacheco padilla palacios palma paredes parra pena pena-nieto peralta perez pimentel pineda
    ponce portillo prieto puente quezada quinones quintana quintero quiroz ramirez ramos rangel rendon resendez reyes reyna rincon rios
    rivas rivera robles rocha rodriguez rojas roldan roman romero rosales rosario rubio ruiz saenz salas salazar salcedo saldana salgado
    salinas sanchez sandoval santana santiago santos segura sepulveda serrano sierra silva solano solis solorzano sosa soto suarez tapia tejada
    tellez toledo toro torres trejo trevino trujillo uribe urrutia valadez valdes valdez valencia valentin valenzuela valle vallejo vargas vasquez
    vazquez vega velasco velasquez velazquez velez vera vergara vidal vigil villa villalobos villanueva villarreal villegas yanez zamora
    zapata zarate zavala zepeda zuniga
    """
)
#: Those that are also given names, as in "Ana Luz Santiago Cruz".
_ALSO_GIVEN: Final = words(
    "cruz santiago roman franco leon valentin vidal angel rosario luna reyna vera lara santos leal mercado guadalupe marin sierra"
)
#: Endings of family names that given names rarely have.
_FAMILY_ENDING: Final = re.compile(
    r"(?:[^aeiou]mann?|berg|burg|stein|baum|feld|kamp|witz|wicz|[cst]ky|[cst]ki|hoff|meyer|schmidt|schultz|[aeiou]nez)$"
)
_GIVEN_WITH_ENDING: Final = words(
    "norman herman hermann sherman lyman hyman truman freeman coleman roman osman usman othman salman rahman luqman selman newman tillman tolman "
    "furman german guzman workman chapman goodman waldman wyman bozeman dorman furman hartman holman inman kaufman pittman pullman ackerman ivan "
    "stein goldberg rosenberg greenberg lindbergh iceberg whitman harman garman ottoman"
)
#: Double names of public figures that no rule would recognize.
_DOUBLES: Final = frozenset(
    {
        ("wasserman", "schultz"), ("blunt", "rochester"), ("leger", "fernandez"), ("gluesenkamp", "perez"), ("cortez", "masto"),
        ("herrera", "beutler"), ("jackson", "lee"), ("watson", "coleman"), ("mcmorris", "rodgers"), ("bonamici", "schnitzer"),
        ("bordallo", "cruz"), ("gonzalez", "colon"), ("radewagen", "coleman"), ("lujan", "grisham"), ("ros", "lehtinen"),
        ("roybal", "allard"), ("hyde", "smith"), ("cherfilus", "mccormick"), ("kamlager", "dove"), ("lloyd", "george"),
        ("bonham", "carter"), ("vaughan", "williams"), ("torres", "small"), ("brooks", "lasure"), ("bottoms", "lance"),
    }
)  # fmt: skip


@lru_cache(maxsize=1)
def _constants() -> Any:
    # Loaded on first use, because most names are already in separate fields.
    from nameparser.config import Constants

    # Titles and suffixes are removed before parsing, because the parser's lists contain names ("Burgess") and lack ranks.
    return Constants(titles=(), first_name_titles=(), suffix_acronyms=(), suffix_not_acronyms=(), suffix_acronyms_ambiguous=())


def split_name(written: str) -> PersonName:
    """Split a full name; the first name includes middle names and nickname, the last name ordinals and degrees (R27).

    1. Text in brackets is a suffix, a title or a nickname. 2. Text after a comma is a suffix, a title or the given names.
    3. Titles at the start and suffixes at the end are removed. 4. The rest is split into given and family names.
    """
    salutation: list[str] = []
    suffix: list[str] = []
    nicknames: list[str] = []

    def aside(found: re.Match[str]) -> str:
        inside = next(part for part in found.groups() if part is not None).strip()
        tokens = inside.split()
        if found[0].startswith(("(", "[")) and is_suffix(tokens) and not may_be_initials(tokens):
            return f" , ({inside}) , "
        if found[0].startswith(("(", "[")) and is_title(tokens) and not is_also_name(tokens):
            return f" , {inside} , "
        if inside:
            nicknames.append(inside)
        return " "

    text = " ".join(even_signs(written).split())
    if (retired := _ASIDE.search(text)) and is_suffix(retired[0][1:-1].split()) and is_title(before := text[: retired.start()].split()):
        # "Capt. (Ret.) Ana Smith": text after a title belongs to the title.
        salutation += [*before, retired[0]]
        text = text[retired.end() :]
    front, dash, behind = text.rpartition(" - ")
    if dash and is_title(behind.split()):
        text = f"{front}, {behind}"
    text = _WIDE_DASH.sub("-", _ASIDE.sub(aside, text))
    parts = [part.split() for part in text.split(",") if fold(part)]
    if not parts:
        bare = " ".join(plain(written).split())
        return PersonName("", "", bare)
    head, rest = parts[0], parts[1:]
    given: list[str] = []
    for tokens in rest:
        # "Vance, JD" and "Reinhold, Judge": a family name alone still needs a given name.
        wanted = not given and (len(head) == 1 or fold(head[0]) in _PARTICLES) and all(is_suffix(other) or is_title(other) for other in rest)
        if is_suffix(tokens) and not (wanted and may_be_initials(tokens)):
            suffix += tokens
        elif is_title(tokens) and not (wanted and is_also_name(tokens)):
            salutation += tokens
        else:
            given += tokens
    if given:
        first, last = _inverted(head, given, salutation, suffix)
    else:
        first, last = _natural(head, salutation, suffix)
    if nicknames:
        first = " ".join(filter(None, (first, *(f'"{name}"' for name in nicknames))))
    return PersonName(" ".join(salutation), first, " ".join(filter(None, (last, *suffix))))


def without_party(written: str) -> str:
    """Remove a party in brackets, such as "(D-VA)", after a name; the system does not store it (R13)."""
    return " ".join(_PARTY.sub(" ", written).split()) if "(" in written or "[" in written else written


def are_two_people(first_name: str) -> bool:
    """Return whether given names are of a couple: "John and Mary"."""
    return bool(_COUPLE.search(first_name))


def _inverted(head: list[str], given: list[str], salutation: list[str], suffix: list[str]) -> tuple[str, str]:
    title = leading_title(head, sure=True)
    salutation[:0] = head[:title]
    head = head[title:]
    if ending := trailing_suffix(head):
        suffix[:0] = head[-ending:]
        head = head[:-ending]
    if ending := trailing_suffix(given):
        suffix[:0] = given[-ending:]
        given = given[:-ending]
    title = leading_title([*given, *head])
    title = title if title < len(given) else leading_title(given)
    salutation += given[:title]
    # "Cruz, María de la": the particles belong to the family name.
    while len(given) - title > 1 and given[-1].islower() and fold(given[-1]) in _PARTICLES:
        head.insert(0, given.pop())
    return " ".join(given[title:]), " ".join(head)


def _natural(tokens: list[str], salutation: list[str], suffix: list[str]) -> tuple[str, str]:
    if ending := trailing_suffix(tokens):
        suffix[:0] = tokens[-ending:]
        tokens = tokens[:-ending]
    title = leading_title(tokens)
    salutation[:0] = tokens[:title]
    tokens = tokens[title:]
    if len(tokens) == 1:
        # A single word is the family name, which is required.
        return "", tokens[0]
    from nameparser import HumanName

    parsed = HumanName(" ".join(tokens), constants=_constants())
    first = " ".join(filter(None, (parsed.title, parsed.first, parsed.middle)))
    last = " ".join(filter(None, (parsed.last, parsed.suffix)))
    if not last:
        first, last = "", first
    if fold(f"{first} {last}").split() != fold(" ".join(tokens)).split():
        # If the parser lost or moved words, use the last word as family name.
        first, last = " ".join(tokens[:-1]), tokens[-1]
    return _with_double_name(first.split(), last.split())


def _with_double_name(first: list[str], last: list[str]) -> tuple[str, str]:
    """Move the first half of a double family name to the last name: "Gabriel García / Márquez"."""
    if len(first) > 1:
        half, whole = fold(first[-1]), fold(last[0])
        spanish = half in _HISPANIC and whole in _HISPANIC and (half not in _ALSO_GIVEN or len(first) > 2)
        german = bool(_FAMILY_ENDING.search(half)) and half not in _GIVEN_WITH_ENDING and len(fold(first[0])) > 1
        if (half, whole) in _DOUBLES or spanish or german:
            last.insert(0, first.pop())
    return " ".join(first), " ".join(last)


def join_name(*, salutation: str = "", first: str = "", middle: str = "", last: str = "", suffix: str = "") -> PersonName:
    """Join a name from five columns into the three fields; the middle name joins the first name, the suffix the last (R27)."""

    def joined(*parts: str) -> str:
        return " ".join([" ".join(plain(part).split()) for part in parts if part and not part.isspace()])

    return PersonName(joined(salutation), joined(first, middle), joined(last, suffix))
