"""Names of people: splitting a written name, and likeness of two names (R27, R80, T9)."""

import re
from dataclasses import dataclass
from typing import Final

from services.lexicon.folding import fold, plain, words


@dataclass(frozen=True, slots=True)
class PersonName:
    """A name in the three fields that the system holds; empty where there is none."""

    salutation: str
    first_name: str
    last_name: str


SUFFIXES: Final = words("jr sr ii iii iv v vi phd md esq esquire jd dds dvm cpa rn mba mpa usn usa usmc usaf ret")

_SALUTATIONS: Final = words(
    """
    mr mrs ms miss mx dr prof professor hon honorable sen senator rep representative congressman congresswoman
    gov governor mayor sheriff chief judge justice col colonel capt captain maj major lt lieutenant gen
    general sgt sergeant adm admiral rev reverend rabbi imam fr father sr sister amb ambassador sec secretary
    pres president
    """
)

# People are known by these as by their own names; likeness only, never a canonical form.
_NICKNAMES: Final = tuple(
    frozenset(group.split())
    for group in """abraham abe
    albert al bert
    alexander alexandra alejandro alejandra alex alec sandy
    alfred al fred
    andrew andy drew
    angela angie
    anthony tony
    antonio tony
    arthur art
    barbara barb barbie
    benjamin ben benny benjy
    bernard bernie bernardo
    bradley brad
    calvin cal
    catherine katherine kathryn kathleen cathy kathy kate katie kat
    charles charlie chuck chaz
    christopher chris kit topher
    christine christina chrissy chris tina
    cynthia cindy
    daniel dan danny
    david dave davey
    deborah debra debbie deb
    dennis denny
    dolores dolly
    donald don donny
    dorothy dot dottie
    douglas doug
    dustin dusty
    edward ed eddie ted ned
    eleanor ellie nora
    elijah eli elias
    elizabeth liz beth betsy betty lizzie eliza
    emanuel emmanuel manny
    eugene gene
    florence flo
    francis frank
    franklin frank
    frederick fred freddie
    gabriel gabe
    gerald jerry gerry
    gilbert gil
    gregory greg gregorio
    gustavo gus
    harold hal harry
    henry hank harry
    herbert herb
    jacob jake
    jacqueline jackie
    james jim jimmy jamie
    janice jan
    jefferson jeff
    jeffrey geoffrey jeff geoff
    jennifer jen jenny jenniffer
    jerome jerry
    jessica jess
    john jack johnny jon
    jonathan jon
    joseph joe joey jose
    joshua josh
    judith judy
    julia julie
    kenneth ken kenny
    kimberly kim kimberlyn
    lawrence laurence larry
    leonard len lenny leo
    lester les
    louis luis lou
    madeleine maddy
    margaret maggie peggy meg marge
    martin marty
    matthew matt
    maxwell max
    michael mike mickey mick
    melissa missy
    mitchell mitch
    nathaniel nathan nate nat
    nicholas nick nicolas
    nydia nydia
    pamela pam
    patricia pat patty trish tricia
    patrick pat paddy
    peter pete
    philip phillip phil
    randall randolph randy
    raymond ray
    rebecca becca becky
    richard rick dick rich ricky
    robert bob rob bobby robbie bert
    ronald ron ronny
    rosemary rose
    rudolph rudy
    russell russ
    samuel sam sammy
    samantha sam
    stephen steven steve
    stephanie steph
    susan sue suzanne susie suzie
    sylvester syl
    terrence terence terry
    teresa theresa terri terry tess
    theodore ted teddy theo
    thomas tom tommy
    timothy tim timmy
    tracey tracy
    troy troy
    valerie val
    vernon vern
    victoria vicky vicki tori
    victor vic
    vincent vince vinny
    virginia ginny
    walter walt
    warren warren
    wesley wes
    william bill will billy willie liam
    zachary zach zack""".splitlines()
)

_KNOWN_AS: Final = {name: frozenset().union(*(group for group in _NICKNAMES if name in group)) for name in frozenset().union(*_NICKNAMES)}

_QUOTED: Final = re.compile(r"[\"“”(\[][^\"“”()\[\]]*[\"“”)\]]")


def given_names(first_name: str) -> tuple[str, ...]:
    """Give the folded given names of a first-name field, without salutations, in their order."""
    words = fold(first_name).split()
    while len(words) > 1 and words[0] in _SALUTATIONS:
        words.pop(0)
    return tuple(words)


def given_key(first_name: str) -> str:
    """Give the one given name that people go by: the first that is more than an initial."""
    words = given_names(_QUOTED.sub(" ", plain(first_name))) or given_names(first_name)
    return next((word for word in words if len(word) > 1), words[0] if words else "")


def family_key(last_name: str) -> str:
    """Give the last word of a family name, folded, without suffixes.

    Lists disagree on where a double name begins ("Catherine / Cortez Masto" and "Catherine Cortez
    / Masto"), so only its last word is comparable.
    """
    words = fold(last_name).split()
    while len(words) > 1 and words[-1] in SUFFIXES:
        words.pop()
    return words[-1] if words else ""


def _akin(one: str, other: str) -> bool:
    return one == other or other in _KNOWN_AS.get(one, ())


def known_as(given_name: str) -> frozenset[str]:
    """Give the folded given names that a person of this folded given name may go by, itself included."""
    return _KNOWN_AS.get(given_name) or frozenset({given_name})


def are_given_names_alike(one: str, other: str) -> bool:
    """Say whether two first-name fields may be the same person's: same, short form, or initial."""
    mine, theirs = given_names(one), given_names(other)
    if not mine or not theirs:
        # A family name alone is like itself alone.
        return mine == theirs
    if any(_akin(a, b) for a in mine for b in theirs if len(a) > 1 and len(b) > 1):
        return True
    # Only initials on one side: "J. Smith" may be John, and may be Jane; let other signs decide.
    for initials, names in ((mine, theirs), (theirs, mine)):
        if all(len(word) == 1 for word in initials):
            return initials[0] == names[0][0]
    return False


def are_names_alike(one: PersonName, other: PersonName) -> bool:
    """Say whether two names may be the same person's; symmetric (T9, R82)."""
    family = family_key(one.last_name)
    return bool(family) and family == family_key(other.last_name) and are_given_names_alike(one.first_name, other.first_name)


def split_name(written: str) -> PersonName:
    """Split a name in one column; middle names and nickname go first, a suffix goes last (R27)."""
    # Most names come in fields of their own; the parser is loaded for the first that does not.
    from nameparser import HumanName

    text = " ".join(plain(written).split())
    # The parser leaves a salutation before "Last, First" where it is.
    salutation = ""
    head, _, rest = text.partition(" ")
    if "," in text and rest and fold(head) in _SALUTATIONS:
        salutation, text = head, rest
    parsed = HumanName(text)
    title, given = parsed.title, parsed.first
    # The parser takes "Burgess" for an office; only what is written before a name counts as a salutation.
    if title and not set(fold(title).split()) <= _SALUTATIONS:
        title, given = "", f"{title} {given}".strip()
    nickname = f'"{parsed.nickname}"' if parsed.nickname else ""
    first = " ".join(part for part in (given, parsed.middle, nickname) if part)
    last = " ".join(part for part in (parsed.last, parsed.suffix.replace(",", "")) if part)
    return PersonName(salutation or title, first, last)


def join_name(*, salutation: str = "", first: str = "", middle: str = "", last: str = "", suffix: str = "") -> PersonName:
    """Put a name of five columns into the three fields: middle name first, suffix last (R27)."""

    def joined(*parts: str) -> str:
        return " ".join([" ".join(plain(part).split()) for part in parts if part and not part.isspace()])

    return PersonName(joined(salutation), joined(first, middle), joined(last, suffix))
