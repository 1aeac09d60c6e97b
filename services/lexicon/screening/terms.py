"""The terms that screening looks for.

Terms are written folded, one per line or separated by commas. ``strong`` terms rarely have another meaning; ``weak`` ones
are also names, colors, objects or places, and count only if the context is about a person.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Term:
    """A term's class, whether it counts only in a context about a person, and whether it is always about one."""

    klass: str
    weak: bool = False
    personal: bool = False


def _terms(text: str) -> tuple[str, ...]:
    return tuple(term.strip() for term in text.replace("\n", ",").split(",") if term.strip())


STRONG: Final = {
    "race": _terms(
        """african american, afro american, caucasian, biracial, multiracial, mixed race,
        person of color, people of color, woman of color, man of color, native american,
        american indian, alaska native, native hawaiian, pacific islander, asian american,
        white male, white female, black male, black female, white man, white woman, black man,
        black woman, blk male, blk female, wht male, wht female, aa male, aa female, aa man, aa woman,
        non white, nonwhite, dark skinned, light skinned, skin color, negro, mulatto"""
    ),
    "ethnicity": _terms(
        """hispanic, hisp, latino, latina, latinx, chicano, chicana, mexican american,
        cuban american, puerto rican descent, arab american, chinese american,
        japanese american, korean american, indian american, vietnamese american,
        filipino american, irish american, italian american, somali american, iranian american,
        ethnicity, ethnic background, ethnic origin, of arab descent, roma descent,
        romani, ashkenazi, sephardic, hmong, kurdish, tribal member, tribal citizen,
        enrolled tribal member, enrolled member of the"""
    ),
    "religion": _terms(
        """catholic, roman catholic, protestant, muslim, moslem, jewish, hindu, buddhist, sikh,
        mormon, atheist, agnostic, evangelical, baptist, methodist, lutheran, presbyterian,
        episcopalian, pentecostal, jehovahs witness, jehovah s witness, jehovah witness, lds, latter day saint, seventh day adventist,
        sunni, shia, shiite, sufi, bahai, zoroastrian, wiccan, scientologist, quaker, mennonite,
        amish, orthodox jew, born again christian, devout, churchgoing, churchgoer,
        religious affiliation, his religion, her religion, their religion, is religious,
        was raised christian, practicing christian"""
    ),
    "politics": _terms("registered democrat, registered republican, registered independent, registered libertarian"),
    "union membership": _terms("union member, card carrying, dues paying member, belongs to the union"),
    "immigration status": _terms("green card holder, illegal alien, visa overstay"),
    "orientation": _terms("openly gay, openly lesbian, gay man, gay woman, gay couple, trans man, trans woman"),
}

WEAK: Final = {
    "race": _terms("black, blk, white, wht, asian, brown, colored, indigenous, race, races, racial, aa"),
    "ethnicity": _terms(
        """arab, arabic, mexican, cuban, puerto rican, dominican, salvadoran, guatemalan,
        chinese, japanese, korean, vietnamese, filipino, filipina, indian, pakistani,
        bangladeshi, iranian, persian, iraqi, syrian, lebanese, palestinian, egyptian,
        turkish, armenian, somali, ethiopian, eritrean, nigerian, haitian, jamaican, irish,
        italian, polish, german, russian, ukrainian, greek, jew, ethnic, native, creole, cajun,
        spanish, navajo, dine, cherokee, sioux, lakota, dakota, apache, hopi, zuni, ute, ojibwe, chippewa, choctaw,
        chickasaw, seminole, comanche, mohawk, oneida, iroquois, shoshone, blackfeet, osage, potawatomi, lumbee,
        inuit, yupik, tlingit, haida, paiute, arapaho, cheyenne, muscogee, kiowa, menominee, nez perce"""
    ),
    "religion": _terms(
        """christian, christians, orthodox, reformed, anglican, unitarian, church, mosque,
        synagogue, temple, parish, faith, religion, religious, worship, worships, prays, bible,
        quran, koran, torah, kosher, halal, ramadan, rabbi, imam, pastor, priest, deacon, jain,
        pagan, cath, bishop, nun, monk, cantor, cleric, mullah, lay minister, seminarian, parishioner, congregant,
        altar server, churchwarden, catechist"""
    ),
    "health": _terms(
        """diabetes, diabetic, cancer, leukemia, alzheimers, dementia, parkinsons, epilepsy, epileptic, asthma, hiv, aids,
        hepatitis, depression, ptsd, bipolar, schizophrenia, schizophrenic, autism, autistic, adhd, alcoholic, alcoholism,
        addict, pregnant, deaf, blind, chemo, chemotherapy, dialysis, stroke, heart attack, heart condition, heart disease,
        miscarriage, multiple sclerosis, lupus, anorexia, long covid, tuberculosis"""
    ),
    "politics": _terms("democrat, republican, libertarian, socialist, communist, marxist, leftist, maga"),
    "immigration status": _terms("undocumented, illegal immigrant, asylee, refugee, dreamer, daca recipient"),
    "orientation": _terms("gay, lesbian, bisexual, homosexual, queer, transgender, nonbinary, transsexual, closeted"),
}


def _each(verbs: str, things: str) -> tuple[str, ...]:
    return tuple(f"{verb} {thing}" for verb in _terms(verbs) for thing in _terms(things))


#: Terms that are always about a person, even if the text names nobody.
PERSONAL: Final = {
    "religion": (
        *_each("keep, keeps, kept, eats, eat, only eats", "kosher, halal"),
        *_each(
            "observes, observe, observing, keeps, celebrates, fasts for, fasts during, fasting for, fasting during, fasted for",
            """the sabbath, sabbath, shabbat, shabbos, ramadan, lent, passover, yom kippur, eid, diwali, holy week, purim,
            hanukkah, rosh hashanah, vesak, jumuah""",
        ),
        *_each(
            "goes to, go to, going to, went to, attends, attend, attending, attended",
            """mass every, mass on, sunday mass, daily mass, friday prayers, jumuah, shul, bible study, sunday school, confession,
            temple every, church every, church on, mosque every, church with""",
        ),
        *_each(
            "wears, wearing, wore, wears a, wearing a, wore a, in a, with a, wears her, wears his",
            "hijab, turban, kippah, yarmulke, burqa, niqab, headscarf, head scarf, clerical collar, habit of a nun",
        ),
        *_each("prays, prayed, praying, who prays", "five times, daily, every day, before meals, the rosary, facing mecca"),
        *_each("is at, was at, is always at", "the mosque, church, the synagogue, mass, temple, friday prayers"),
        *_terms("very religious, deeply religious, not religious"),
        *_each("he, she, contact, stakeholder, who", "prays, worships"),
        *_terms("was baptized, was bar mitzvahed, had a bar mitzvah, converted to islam, converted to judaism, converted to catholicism"),
        *_terms("converted to christianity, converted to buddhism, converted to hinduism, found jesus, member of his church, member of her church"),
        *_terms("sings in the church choir, sings in his church choir, sings in her church choir, went on hajj, made the hajj"),
    ),
    "health": (
        *_terms(
            """in a wheelchair, uses a wheelchair, wheelchair bound, recovering alcoholic, recovering addict, cancer survivor,
            hiv positive, in rehab, she is in recovery, he is in recovery, had surgery, diagnosed with parkinsons,
            diagnosed with parkinson, out for chemo, on medical leave, on sick leave, on dialysis, on chemo, in chemo,
            expecting a baby, goes to alcoholics anonymous, on antidepressants, on insulin, in hospice,
            had a miscarriage, mentally ill, suicidal, hard of hearing"""
        ),
        *_each("sees, seeing, saw", "a psychiatrist, a therapist, an oncologist"),
        *_each("treated for, treatment for his, treatment for her", "cancer, depression, diabetes, ptsd, leukemia, addiction, alcoholism, hiv"),
        *_each(
            "he, she, hes, shes, he is, she is, who is, stakeholder is, contact is, he was, she was",
            "disabled, ill, terminally ill, sick, handicapped",
        ),
    ),
    "politics": (
        *_each("votes, voted, vote, always votes", "republican, democratic, democrat, libertarian, green, gop"),
        *_each(
            "hardcore, staunch, lifelong, diehard, die hard, proud, ardent, committed",
            "republican, democrat, conservative, liberal, libertarian, socialist, leftist",
        ),
        *_each("voted for, votes for, supports, is for, campaigned for, donated to", "trump, biden, harris, obama, clinton, sanders, desantis"),
        *_each("trump, biden, harris, obama, maga, clinton", "supporter, voter, donor, fan"),
    ),
    "union membership": _each(
        "belongs to, pays dues to, is in, joined", "the union, a union, the teamsters, the afscme, the seiu, the uaw, the nteu, the afge"
    ),
    "immigration status": _terms("overstayed his visa, overstayed her visa, overstayed their visa, here illegally, without papers"),
    "orientation": _terms("came out as, is out at work, sexual orientation is"),
}


def all_terms() -> dict[str, Term]:
    """Return all terms; strong ones override weak ones, and personal ones override both."""
    kinds = ((WEAK, True, False), (STRONG, False, False), (PERSONAL, False, True))
    return {term: Term(klass, weak, personal) for lists, weak, personal in kinds for klass, terms in lists.items() for term in terms}
