"""Compare names of people: comparison keys, nicknames and likeness (R27, R80, T9)."""

import re
from typing import Final

from services.lexicon.folding import fold, plain, words
from services.lexicon.honorifics import leading_title, trailing_suffix
from services.lexicon.splitting import PersonName

#: Given names and their nicknames, for likeness only, never for canonical forms. A line is a group: names, short forms that stand
#: for each of them and for no other name, and other forms.
_NICKNAMES: Final = """
    abraham: abe
    albert al bert
    alexander alexandra alejandro alejandra alex alec sandy
    alfred al fred
    andrew: andy drew
    angela: angie
    anthony: tony
    antonio: tony
    arthur art
    barbara: barb barbie
    benjamin: ben benny; benjy
    bernard bernie bernardo
    bradley: brad
    calvin: cal
    catherine katherine kathryn kathleen: katie; cathy kathy kate kat
    charles: charlie chuck chaz
    christopher chris kit topher
    christine christina: chrissy; chris tina
    cynthia: cindy
    daniel: dan danny
    david: dave davey
    deborah debra: debbie deb
    dennis: denny
    dolores dolly
    donald: don donny
    dorothy: dot dottie
    douglas: doug
    dustin: dusty
    edward: ed eddie ted; ned
    eleanor: ellie; nora
    elijah: eli; elias
    elizabeth: liz beth betsy betty lizzie; eliza
    emanuel emmanuel: manny
    eugene gene
    florence flo
    francis frank
    franklin frank
    frederick fred freddie
    gabriel: gabe
    gerald: gerry; jerry
    gilbert: gil
    gregory: greg; gregorio
    gustavo: gus
    harold: hal; harry
    henry: hank; harry
    herbert: herb
    jacob: jake
    jacqueline jackie
    james: jim jimmy; jamie
    janice: jan
    jefferson: jeff
    jeffrey geoffrey jeff geoff
    jennifer: jen jenny; jenniffer
    jerome jerry
    jessica: jess
    john: jack johnny; jon
    jonathan: jon
    joseph: joe joey; jose
    joshua: josh
    judith: judy
    julia julie
    kenneth: ken kenny
    kimberly: kim; kimberlyn
    lawrence laurence: larry
    leonard: len lenny; leo
    lester: les
    louis luis: lou
    madeleine: maddy
    margaret: maggie peggy meg; marge
    martin: marty
    matthew: matt
    maxwell: max
    michael: mike mickey mick
    melissa: missy
    mitchell: mitch
    nathaniel nathan: nate; nat
    nicholas nicolas: nick
    pamela: pam
    patricia: patty trish tricia; pat
    patrick: paddy; pat
    peter: pete
    philip phillip: phil
    randall randolph: randy
    raymond: ray
    rebecca: becca becky
    richard: rick dick rich ricky
    robert: bob rob bobby robbie; bert
    ronald: ron ronny
    rosemary rose
    rudolph: rudy
    russell: russ
    samuel sam sammy
    samantha sam
    stephen steven: steve
    stephanie: steph
    susan suzanne: sue; susie suzie
    sylvester: syl
    terrence terence terry
    teresa theresa terri terry tess
    theodore: ted teddy theo
    thomas: tom tommy
    timothy: tim timmy
    tracey tracy
    valerie: val
    vernon: vern
    victoria: vicky vicki; tori
    victor: vic
    vincent: vince vinny
    virginia: ginny
    walter: walt
    wesley: wes
    william: bill will billy willie liam
    zachary: zach zack
"""
#: More short forms that stand for no other name: as people abbreviate them in writing, and those that stand for a part of a group.
_MORE_SHORT_FORMS: Final = {
    "robt": "robert", "wm": "william", "geo": "george", "chas": "charles", "jas": "james", "thos": "thomas", "benj": "benjamin", "jos": "joseph",
    "saml": "samuel", "danl": "daniel", "edw": "edward", "edwd": "edward", "eliz": "elizabeth", "margt": "margaret", "fredk": "frederick",
    "richd": "richard", "jno": "john", "nathl": "nathaniel", "alexr": "alexander", "andw": "andrew", "matthw": "matthew", "xtopher": "christopher",
    "ben": "benedict", "cathy": "catherine", "kathy": "katherine kathryn kathleen", "kate": "katherine kathryn catherine", "tina": "christina",
    "ed": "edwin edmund", "eddie": "edwin", "manny": "manuel", "gus": "augustus", "jan": "janet", "geoff": "geoffrey", "jeff": "jeffrey",
    "max": "maximilian", "nat": "nathaniel", "susie": "susan", "suzie": "suzanne",
}  # fmt: skip


def _read_nicknames() -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
    """Return the groups by each of their names, and the names for which each short form stands."""
    known_as: dict[str, frozenset[str]] = {}
    short_forms = {short: words(formal) for short, formal in _MORE_SHORT_FORMS.items()}
    for line in _NICKNAMES.strip().splitlines():
        group = words(re.sub("[:;]", " ", line))
        known_as |= {name: known_as.get(name, frozenset()) | group for name in group}
        formal, _, others = line.partition(":")
        for short in others.partition(";")[0].split():
            short_forms[short] = short_forms.get(short, frozenset()) | words(formal)
    return known_as, short_forms


_KNOWN_AS, SHORT_FORMS = _read_nicknames()

_QUOTED: Final = re.compile(r"[\"“”(\[][^\"“”()\[\]]*[\"“”)\]]")


def given_names(first_name: str) -> tuple[str, ...]:
    """Return the folded given names of a first-name field in order, without titles."""
    tokens = fold(first_name).split()
    return tuple(tokens[leading_title(tokens, sure=True) :])


def given_key(first_name: str) -> str:
    """Return the first given name that is more than an initial."""
    words = given_names(_QUOTED.sub(" ", plain(first_name))) or given_names(first_name)
    return next((word for word in words if len(word) > 1), words[0] if words else "")


def family_key(last_name: str) -> str:
    """Return the last word of a family name, folded, without suffixes.

    Lists split double names differently ("Catherine / Cortez Masto", "Catherine Cortez / Masto"), so only the last word
    is comparable.
    """
    words = fold(last_name).split()
    if len(words) > 1:
        tokens = [token for token in plain(last_name).replace(",", " ").split() if fold(token)]
        words = fold(" ".join(tokens[: len(tokens) - trailing_suffix(tokens, least=1)])).split()
    return words[-1] if words else ""


def known_as(given_name: str) -> frozenset[str]:
    """Return the folded given name with all its variants and nicknames."""
    return _KNOWN_AS.get(given_name) or frozenset({given_name})


def are_given_names_alike(one: str, other: str) -> bool:
    """Return whether two first-name fields may be of the same person: equal, a short form or an initial."""
    mine, theirs = given_names(one), given_names(other)
    if not mine or not theirs:
        # Without a given name, a name is like only another without one.
        return mine == theirs
    if any(b in known_as(a) for a in mine for b in theirs if len(a) > 1 and len(b) > 1):
        return True
    # With initials only, "J. Smith" may be John or Jane, so other fields decide.
    for initials, names in ((mine, theirs), (theirs, mine)):
        if all(len(word) == 1 for word in initials):
            return initials[0] == names[0][0]
    return False


def are_names_alike(one: PersonName, other: PersonName) -> bool:
    """Return whether two names may be of the same person; symmetric (T9, R82)."""
    family = family_key(one.last_name)
    return bool(family) and family == family_key(other.last_name) and are_given_names_alike(one.first_name, other.first_name)
