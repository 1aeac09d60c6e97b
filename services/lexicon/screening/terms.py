"""The words that screening looks for: a modest lexicon of our own.

Terms are written folded, one per line or separated by commas. ``strong`` terms hardly mean
anything else; ``weak`` ones are also names, colors, objects or places and count only when the
words around them speak of a person. Larger public lists are added with ``compile_terms``.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Term:
    """A term's class, and whether it needs words about a person beside it."""

    klass: str
    weak: bool = False


def _terms(text: str) -> tuple[str, ...]:
    return tuple(term.strip() for term in text.replace("\n", ",").split(",") if term.strip())


STRONG: Final = {
    "race": _terms(
        """african american, afro american, caucasian, biracial, multiracial, mixed race,
        person of color, people of color, woman of color, man of color, native american,
        american indian, alaska native, native hawaiian, pacific islander, asian american,
        white male, white female, black male, black female, white man, white woman, black man,
        black woman, dark skinned, light skinned, skin color, negro, mulatto"""
    ),
    "ethnicity": _terms(
        """hispanic, latino, latina, latinx, chicano, chicana, mexican american,
        cuban american, puerto rican descent, arab american, chinese american,
        japanese american, korean american, indian american, vietnamese american,
        filipino american, irish american, italian american, somali american, iranian american,
        ethnicity, ethnic background, ethnic origin, of arab descent, roma descent,
        romani, ashkenazi, sephardic, hmong, kurdish"""
    ),
    "religion": _terms(
        """catholic, roman catholic, protestant, muslim, moslem, jewish, hindu, buddhist, sikh,
        mormon, atheist, agnostic, evangelical, baptist, methodist, lutheran, presbyterian,
        episcopalian, pentecostal, jehovahs witness, jehovah s witness, seventh day adventist,
        sunni, shia, shiite, sufi, bahai, zoroastrian, wiccan, scientologist, quaker, mennonite,
        amish, orthodox jew, born again christian, devout, churchgoing, churchgoer,
        religious affiliation, his religion, her religion, their religion, is religious,
        was raised christian, practicing christian"""
    ),
}

WEAK: Final = {
    "race": _terms("black, white, asian, brown, colored, indigenous, race, races, racial"),
    "ethnicity": _terms(
        """arab, arabic, mexican, cuban, puerto rican, dominican, salvadoran, guatemalan,
        chinese, japanese, korean, vietnamese, filipino, filipina, indian, pakistani,
        bangladeshi, iranian, persian, iraqi, syrian, lebanese, palestinian, egyptian,
        turkish, armenian, somali, ethiopian, eritrean, nigerian, haitian, jamaican, irish,
        italian, polish, german, russian, ukrainian, greek, jew, ethnic, native, navajo,
        cherokee, sioux, apache, creole, cajun, spanish"""
    ),
    "religion": _terms(
        """christian, christians, orthodox, reformed, anglican, unitarian, church, mosque,
        synagogue, temple, parish, faith, religion, religious, worship, worships, prays, bible,
        quran, koran, torah, kosher, halal, ramadan, rabbi, imam, pastor, priest, deacon, jain,
        pagan"""
    ),
}


def all_terms() -> dict[str, Term]:
    """Give every term with its class; a strong one wins over a weak one."""
    return {term: Term(klass, weak) for weak, lists in ((True, WEAK), (False, STRONG)) for klass, terms in lists.items() for term in terms}
