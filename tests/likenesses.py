"""Pairs of rows of a file: of two people who look alike, and of one who doesn't look it. Seeded; everybody is invented.

Each kind is what real lists do. A pair says nothing that T28 could not see through: two people who agree in every cell
are no pair.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass


def words(text: str) -> list[str]:
    """Read a list that is written as words."""
    return text.split()


COLUMNS = (
    "First name", "Middle name", "Last name", "Suffix", "Title", "Organization", "State", "E-mail", "Cell", "Personal phone", "Work phone",
    "Work address",
)  # fmt: skip
_GIVEN = words("Alma Boris Carmen Dmitri Elena Felix Gloria Hector Irene Julian Karina Lorenzo Mirela Nadine Oscar Paulina Rafael Sabina Tobias Vera")
_FAMILY = words(
    "Abgard Belmark Corvegard Dornfeld Estermont Fathgard Grunholt Hallvane Istrup Jorvell Kestrup Lindqvane Mosgard Nordvall Oxmoor Pelvane"
    " Quillmark Rostrup Samegard Tornvald Ulvgard Vestmark Wolmoor Yarrgard Zelmark"
)
_TITLES = words("Director Counsel Mayor Treasurer Analyst Chaplain Superintendent Editor Registrar Surveyor")
_BODIES = (
    "Larkspur Levee Board", "Tern River Water District", "Cobalt Harbor Authority", "Union of Border Growers", "Society for Safe Rail",
    "Juniper County Schools", "Plover Freight Cooperative", "Bureau of Coastal Dikes",
)  # fmt: skip
_STATES = words("TX NM AZ CA OK LA")
_STREETS = words("Main Elm Cedar Willow Harbor Mesa")
_EXCHANGES = [number for number in range(220, 920) if number % 100 != 11]
Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two rows, of which kind they are, and whether they are one person's."""

    kind: str
    one: Row
    other: Row
    same: bool


class Cast:
    """Invents people; no value twice."""

    def __init__(self, seed: int) -> None:
        """Begin anew."""
        self.chance = random.Random(seed)
        self._n = 0

    def pick(self, *of: str) -> str:
        """Pick one."""
        return self.chance.choice(of)

    def phone(self) -> str:
        """Give a number that nobody had."""
        self._n += 1
        area, exchange = ("512", "713", "214", "505", "602", "213")[self._n % 6], _EXCHANGES[self._n // 6 % len(_EXCHANGES)]
        return f"{area}-{exchange}-{1000 + self._n // 4200:04d}"

    def mail(self, *, personal: bool = False) -> str:
        """Give an address that nobody had."""
        self._n += 1
        return f"box{self._n}@{'gmail.com' if personal else 'larks.example.org'}"

    def address(self) -> str:
        """Give an address that nobody had."""
        self._n += 1
        return f"{self._n} {self.pick(*_STREETS)} Street, Austin, TX 78701"

    def person(self, **given: str) -> Row:
        """Invent somebody who says everything, but for what is given."""
        # A family name that no other pair has, in letters.
        self._n += 1
        family = self.pick(*_FAMILY) + "".join("abcdefghik"[int(digit)] for digit in str(self._n))
        row = {
            "First name": self.pick(*_GIVEN), "Last name": family, "Title": self.pick(*_TITLES), "Organization": self.pick(*_BODIES),
            "State": self.pick(*_STATES), "E-mail": self.mail(), "Cell": self.phone(), "Work phone": self.phone(), "Work address": self.address(),
        }  # fmt: skip
        return row | given

    def other(self, row: Row, column: str, *of: str) -> str:
        """Pick another word than a row's."""
        return self.chance.choice([word for word in of if word != row[column]])

    def another(self, row: Row, **given: str) -> Row:
        """Invent somebody with the name of a row's person, elsewhere and reached otherwise."""
        named = {column: row[column] for column in ("First name", "Middle name", "Last name", "Suffix") if row.get(column)}
        elsewhere = {
            "Title": self.other(row, "Title", *_TITLES), "Organization": self.other(row, "Organization", *_BODIES),
            "State": self.other(row, "State", *_STATES),
        }  # fmt: skip
        return self.person() | named | elsewhere | given


def of(row: Row, *columns: str) -> Row:
    """Return some of a row's cells."""
    return {column: row[column] for column in columns if column in row}


Made = tuple[Row, Row]


def _different() -> dict[str, Callable[[Cast], Made]]:
    def suffixes(cast: Cast) -> Made:
        son = cast.person(Suffix=cast.pick("Jr.", "II", "III", "2nd"))
        shared = of(son, *cast.chance.sample(["Organization", "State", "Work phone", "Work address", "Title"], 3))
        return son, cast.another(son, Suffix=cast.pick("Sr.", "IV", "3rd Esq.", "Senior")) | shared

    def one_suffix(cast: Cast) -> Made:
        son = cast.person(Suffix=cast.pick("Jr.", "II", "III"))
        home = {"Personal phone": cast.phone()}
        father = {**cast.another(son), "Suffix": ""} | of(son, "Organization", "State", "Work phone", "Work address", "Title")
        bare = {"E-mail": "", "Cell": ""}
        return son | home | (bare if cast.chance.random() < 0.5 else {}), father | home | (bare if cast.chance.random() < 0.5 else {})

    def suffix_in_the_family_name(cast: Cast) -> Made:
        one, other = suffixes(cast)
        return (
            {**one, "Last name": f"{one['Last name']}, {one['Suffix']}", "Suffix": ""},
            {**other, "Last name": f"{other['Last name']} {other['Suffix']}", "Suffix": ""},
        )

    def namesakes_elsewhere(cast: Cast) -> Made:
        one = cast.person()
        return one, cast.another(one)

    def namesakes_of_one_state(cast: Cast) -> Made:
        one = cast.person()
        return of(one, "First name", "Last name", "State", "E-mail", "Cell"), of(cast.another(one), "First name", "Last name", "E-mail", "Cell") | of(
            one, "State"
        )

    def namesakes_of_one_state_and_title(cast: Cast) -> Made:
        one = cast.person()
        return one, cast.another(one) | of(one, "State", "Title")

    def namesakes_of_one_body(cast: Cast) -> Made:
        one = cast.person()
        keys = ["First name", "Last name", "Title", "Organization", "State", "Work phone", *cast.chance.sample(["E-mail", "Cell", "Work address"], 1)]
        return of(one, *keys), of(cast.another(one), *keys) | of(one, "Organization", "State")

    def namesakes_at_one_switchboard(cast: Cast) -> Made:
        one = cast.person()
        return one, cast.another(one) | of(one, "Organization", "State", "Work phone", "Work address")

    def couples(cast: Cast) -> Made:
        one = cast.person()
        shared = of(one, "Last name", "State", *cast.chance.sample(["Cell", "E-mail", "Work phone", "Work address"], 2))
        partner = cast.person() | shared
        partner["First name"] = cast.other(one, "First name", *_GIVEN)
        if cast.chance.random() < 0.5:
            del partner["Title"]
        return one, partner

    def family_of_one_home(cast: Cast) -> Made:
        home = {"Personal phone": cast.phone(), "E-mail": cast.mail(personal=True)}
        given = cast.pick("Jon John", "Maria Marie", "Eric Erik", "Ana Anna", "Steven Stephen", "Marta Martha", "Carlos Carla", "Daniel Daniela")
        one, other = given.split()
        first = of(cast.person(), "Last name", "State", "Work address") | home | {"First name": one}
        return first, {**first, "First name": other}

    def short_forms_of_two(cast: Cast) -> Made:
        one, other = cast.pick("Chris Christina", "Alex Alexandra", "Pat Patricia", "Sam Samantha", "Terry Teresa", "Jamie James").split()
        first = of(cast.person(), "Last name", "State", "Organization", "Work phone") | {"Personal phone": cast.phone(), "First name": one}
        return first, {**first, "First name": other}

    def double_names(cast: Cast) -> Made:
        one = cast.person()
        last = one["Last name"]
        shared = of(one, "First name", "State", *cast.chance.sample(["Organization", "Work phone", "Work address", "Title"], 3))
        mother, father = cast.person()["Last name"], cast.person()["Last name"]
        sign = cast.pick(" ", "-")
        other = cast.person() | shared | {"Last name": f"{father}{sign}{last}"}
        return one | {"Last name": f"{mother}{sign}{last}"}, other

    def hyphenated_or_not(cast: Cast) -> Made:
        one = cast.person()
        home = {"Personal phone": cast.phone()}
        double = cast.pick(f"{one['Last name']}-{cast.person()['Last name']}", f"{cast.person()['Last name']} {one['Last name']}")
        other = cast.another(one) | of(one, "State", "Organization", "Work phone", "Title") | {"Last name": double}
        bare = {"E-mail": "", "Cell": ""}
        return one | home | bare, other | home | bare

    def particles(cast: Cast) -> Made:
        one = cast.person(**{"E-mail": "", "Cell": ""})
        particle = cast.pick("de la ", "van ", "al-", "von der ", "Mac ", "St. ")
        other = cast.another(one) | of(one, "State", "Organization", "Work phone", "Title", "E-mail", "Cell")
        return one, other | {"Last name": f"{particle}{one['Last name']}"}

    def initials(cast: Cast) -> Made:
        one = cast.person(**{"E-mail": "", "Cell": ""})
        other = cast.another(one) | of(one, "State", "Organization", "Work phone", "E-mail", "Cell", "Title")
        return one, other | {"First name": f"{one['First name'][0]}."}

    def middle_names(cast: Cast) -> Made:
        one = cast.person(**{"E-mail": "", "Cell": "", "Middle name": cast.pick("Allen", "A.", "Brian Lee")})
        other = cast.another(one) | of(one, "State", "Organization", "Work phone", "E-mail", "Cell", "Title")
        return one, other | {"Middle name": cast.pick("Conrad", "D.", "Ezra Lee")}

    def colleagues(cast: Cast) -> Made:
        one = cast.person(**{"E-mail": "", "Cell": ""})
        other = cast.person() | of(one, "First name", "State", "Organization", "Work phone", "E-mail", "Cell", "Work address")
        return one, other | {"Title": cast.other(one, "Title", *_TITLES)}

    def father_and_son_of_one_home(cast: Cast) -> Made:
        one = cast.person(**{"Personal phone": cast.phone()})
        keys = ["First name", "Last name", "State", "Personal phone", cast.pick("Cell", "E-mail")]
        return of(one, *keys), of(cast.another(one), *keys) | of(one, "State", "Personal phone")

    def one_mailbox_of_an_office(cast: Cast) -> Made:
        one = cast.person()
        keys = ["First name", "Last name", "State", "E-mail", "Cell", "Organization"]
        return of(one, *keys), of(cast.another(one), *keys) | of(one, "State", "E-mail", "Organization")

    return dict(locals())


def _same() -> dict[str, Callable[[Cast], Made]]:
    def reached(cast: Cast, row: Row) -> Row:
        """Return the row with some of what is said of it, and always one way to reach the person."""
        kept = of(row, "First name", "Middle name", "Last name", "Suffix", "Organization", "State", "Title")
        return kept | of(row, *cast.chance.sample(["E-mail", "Cell", "Work phone"], cast.chance.choice([1, 2])))

    def again(cast: Cast) -> Made:
        one = cast.person()
        return one, reached(cast, one)

    def in_capitals(cast: Cast) -> Made:
        one = cast.person()
        return one, {column: cell if column in {"State", "E-mail"} else cell.upper() for column, cell in reached(cast, one).items()}

    def middle_name(cast: Cast) -> Made:
        one = cast.person()
        return one, reached(cast, one) | {"Middle name": cast.pick("J.", "Marlow", "R. S.")}

    def suffix(cast: Cast) -> Made:
        one = cast.person()
        return one, reached(cast, one) | {"Suffix": cast.pick("Jr.", "III")}

    def degree(cast: Cast) -> Made:
        one = cast.person()
        return one, reached(cast, one) | {"Suffix": cast.pick("PhD", "MD", "Esq.", "CPA")}

    def accents(cast: Cast) -> Made:
        one = cast.person()
        return one, reached(cast, one) | {"Last name": one["Last name"].replace("a", "á").replace("o", "ö")}

    def short_form(cast: Cast) -> Made:
        long, short = cast.pick("William Bill", "Robert Bob", "Elizabeth Liz", "Margaret Peggy", "James Jim", "Katherine Kate").split()
        one = cast.person(**{"First name": long})
        return one, reached(cast, one) | {"First name": short}

    def initial(cast: Cast) -> Made:
        one = cast.person()
        return one, reached(cast, one) | {"First name": f"{one['First name'][0]}."}

    def middle_name_in_use(cast: Cast) -> Made:
        one = cast.person(**{"Middle name": "Marlow"})
        return one, reached(cast, one) | {"First name": "Marlow", "Middle name": ""}

    def swapped_fields(cast: Cast) -> Made:
        one = cast.person()
        return one, reached(cast, one) | {"First name": one["Last name"], "Last name": one["First name"]}

    def asian_order(cast: Cast) -> Made:
        one = cast.person(**{"First name": cast.pick("Wei", "Minh Anh", "Jin")})
        return one, reached(cast, one) | {"First name": one["Last name"], "Last name": one["First name"]}

    def married(cast: Cast) -> Made:
        one = cast.person()
        return one, of(one, "First name", "Title", "Organization", "State", cast.pick("Cell", "E-mail")) | {"Last name": cast.person()["Last name"]}

    def married_and_hyphenated(cast: Cast) -> Made:
        one = cast.person()
        return one, reached(cast, one) | {"Last name": f"{one['Last name']}-{cast.person()['Last name']}"}

    def compound_split_elsewhere(cast: Cast) -> Made:
        one = cast.person()
        first, second = one["Last name"], cast.person()["Last name"]
        one |= {"Last name": f"{first} {second}"}
        return one, reached(cast, one) | {"First name": f"{one['First name']} {first}", "Last name": second}

    def scanned(cast: Cast) -> Made:
        one = cast.person(**{"First name": cast.pick("Mirela", "Carmen", "Boris")})
        wrong = one["Last name"].replace("m", "rn", 1).replace("o", "0", 1) if cast.chance.random() < 0.5 else one["Last name"].replace("l", "1")
        return one, reached(cast, one) | {"Last name": wrong}

    def transcribed(cast: Cast) -> Made:
        one, other = cast.pick(
            "Yuri Iurii", "Aleksei Alexey", "Mohammed Muhamad", "Dmitri Dmitry", "Sergei Serguey", "Chaim Khaim", "Husein Hussain", "Nataliya Natalia"
        ).split()
        first = cast.person(**{"First name": one})
        return first, reached(cast, first) | {"First name": other}

    def transposed(cast: Cast) -> Made:
        one = cast.person()
        last = one["Last name"]
        at = cast.chance.randrange(1, len(last) - 2)
        return one, reached(cast, one) | {"Last name": last[:at] + last[at + 1] + last[at] + last[at + 2 :]}

    def acronym(cast: Cast) -> Made:
        one = cast.person()
        letters = "".join(word[0] for word in one["Organization"].split() if word not in {"of", "for"})
        return of(one, *(c for c in COLUMNS if c not in {"E-mail", "Cell"})), reached(cast, one) | {"Organization": letters}

    def promoted(cast: Cast) -> Made:
        one = cast.person()
        return one, reached(cast, one) | {"Title": cast.other(one, "Title", *_TITLES)}

    def moved(cast: Cast) -> Made:
        one = cast.person()
        fresh = cast.another(one)
        return one, of(fresh, "First name", "Last name", "Title", "Organization", "State", "Work phone") | of(one, "Cell")

    def changed_chamber(cast: Cast) -> Made:
        one = cast.person(**{"E-mail": "", "Cell": ""})
        return one, {**cast.another(one), "State": one["State"], "E-mail": "", "Cell": ""}

    kinds = dict(locals())
    del kinds["reached"]
    return kinds


DIFFERENT, SAME = _different(), _same()


def pairs(count: int, *, same: bool, seed: int) -> Iterator[Pair]:
    """Give so many pairs, the kinds in turn."""
    cast, kinds = Cast(seed), list((SAME if same else DIFFERENT).items())
    for n in range(count):
        kind, make = kinds[n % len(kinds)]
        one, other = make(cast)
        yield Pair(kind, one, other, same)
