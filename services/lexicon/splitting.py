"""Splitting a name that one column holds into salutation, first name and last name (R27, R80)."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from services.lexicon.folding import even_signs, fold, plain, words
from services.lexicon.honorifics import is_also_name, is_suffix, is_title, leading_title, may_be_initials, trailing_suffix


@dataclass(frozen=True, slots=True)
class PersonName:
    """A name in the three fields that the system holds; empty where there is none."""

    salutation: str
    first_name: str
    last_name: str


#: In brackets or quotes: a nickname, or what follows a name.
_ASIDE: Final = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]|[\"“”„«»]([^\"“”„«»]*)[\"“”„«»]|(?<![^\s,])'([^']+)'(?![^\s,])")
#: In brackets behind a name: the party, and the state or district, of somebody elected. The system holds no party (R13).
_PARTY: Final = re.compile(
    r"[(\[]\s*(?:d|r|i|l|g|dfl|dem|rep|ind|gop|democrat|democratic|republican|independent|libertarian|green)\.?"
    r"(?:\s*[-–—/,:]\s*[a-z]{2}(?:[-–—\s]?\d{1,2})?|\s*[-–—/,:]\s*[a-z]{4,})?\s*[)\]]",
    re.IGNORECASE,
)
#: Between two given names: a couple in one cell.
_COUPLE: Final = re.compile(r"\w\s*(?:&|\+|\b(?:and|y|und|et)\b)\s*\w", re.IGNORECASE)
#: A dash between words: a double name written wide, or what somebody is.
_WIDE_DASH: Final = re.compile(r"(?<=\w)\s+-+\s+(?=\w)")
#: Where a family name of several words may begin.
_PARTICLES: Final = words(
    "de del della der den di da do dos das du des la las le los van von vom zu zur ten ter al el bin ibn ben abu st saint san santa mac mc"
)
#: Family names that come in pairs; as a middle name before another of them, each is the first half of a double name.
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
#: Of these, given names as well: "Ana Luz Santiago Cruz" is told apart only by the words around.
_ALSO_GIVEN: Final = words(
    "cruz santiago roman franco leon valentin vidal angel rosario luna reyna vera lara santos leal mercado guadalupe marin sierra"
)
#: Endings that family names have and given names hardly ever.
_FAMILY_ENDING: Final = re.compile(
    r"(?:[^aeiou]mann?|berg|burg|stein|baum|feld|kamp|witz|wicz|[cst]ky|[cst]ki|hoff|meyer|schmidt|schultz|[aeiou]nez)$"
)
_GIVEN_WITH_ENDING: Final = words(
    "norman herman hermann sherman lyman hyman truman freeman coleman roman osman usman othman salman rahman luqman selman newman tillman tolman "
    "furman german guzman workman chapman goodman waldman wyman bozeman dorman furman hartman holman inman kaufman pittman pullman ackerman ivan "
    "stein goldberg rosenberg greenberg lindbergh iceberg whitman harman garman ottoman"
)
#: Double names in public life that no rule tells from a middle name.
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
    # Most names come in fields of their own; the parser is loaded for the first that does not.
    from nameparser.config import Constants

    # Titles and suffixes are taken off before it: its own lists hold names ("Burgess") and lack ranks.
    return Constants(titles=(), first_name_titles=(), suffix_acronyms=(), suffix_not_acronyms=(), suffix_acronyms_ambiguous=())


def split_name(written: str) -> PersonName:
    """Split a name in one column; middle names and nickname go first, ordinals and degrees go last (R27).

    1. What stands in brackets is a suffix, a title or a nickname. 2. What follows a comma is a suffix, a title, or the
    given names. 3. Titles are taken off the front and suffixes off the end. 4. What is left is parted.
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
        # "Capt. (Ret.) Ana Smith": what stands behind a title is said of the title.
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
        # "Vance, JD" and "Reinhold, Judge": a family name alone still wants a given name.
        wanted = not given and (len(head) == 1 or fold(head[0]) in _PARTICLES) and not any(_is_plain(other) for other in rest)
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
    """Return a name without the party in brackets behind it, "(D-VA)" say, which the system does not hold (R13)."""
    return " ".join(_PARTY.sub(" ", written).split()) if "(" in written or "[" in written else written


def are_two_people(first_name: str) -> bool:
    """Say whether given names are those of a couple: "John and Mary"."""
    return bool(_COUPLE.search(first_name))


def _is_plain(tokens: list[str]) -> bool:
    return not is_suffix(tokens) and not is_title(tokens)


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
    # "Cruz, María de la": the particles go back to their name.
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
        # One word alone is a family name: there must be one.
        return "", tokens[0]
    from nameparser import HumanName

    parsed = HumanName(" ".join(tokens), constants=_constants())
    first = " ".join(filter(None, (parsed.title, parsed.first, parsed.middle)))
    last = " ".join(filter(None, (parsed.last, parsed.suffix)))
    if not last:
        first, last = "", first
    if fold(f"{first} {last}").split() != fold(" ".join(tokens)).split():
        # Nothing of a name may be lost or moved, whatever the parser makes of it.
        first, last = " ".join(tokens[:-1]), tokens[-1]
    return _with_double_name(first.split(), last.split())


def _with_double_name(first: list[str], last: list[str]) -> tuple[str, str]:
    """Put the first half of a double family name to the other: "Gabriel García / Márquez"."""
    if len(first) > 1:
        half, whole = fold(first[-1]), fold(last[0])
        spanish = half in _HISPANIC and whole in _HISPANIC and (half not in _ALSO_GIVEN or len(first) > 2)
        german = bool(_FAMILY_ENDING.search(half)) and half not in _GIVEN_WITH_ENDING and len(fold(first[0])) > 1
        if (half, whole) in _DOUBLES or spanish or german:
            last.insert(0, first.pop())
    return " ".join(first), " ".join(last)


def join_name(*, salutation: str = "", first: str = "", middle: str = "", last: str = "", suffix: str = "") -> PersonName:
    """Put a name of five columns into the three fields: middle name first, suffix last (R27)."""

    def joined(*parts: str) -> str:
        return " ".join([" ".join(plain(part).split()) for part in parts if part and not part.isspace()])

    return PersonName(joined(salutation), joined(first, middle), joined(last, suffix))
