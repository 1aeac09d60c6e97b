"""People who are erased: their names and values, where they are entered, and the encodings in which they are looked for."""

from __future__ import annotations

import base64
import csv
import functools
import hashlib
import io
import itertools
import os
import re
import unicodedata
from collections.abc import Collection, Iterator
from typing import Any
from urllib.parse import unquote

import xlsxwriter

from deploy.state import StateFolder
from services.contacts.storage.digests import Digests
from services.contacts.storage.vault import Keyring
from services.lexicon.canonical import canonical_email
from services.lexicon.folding import fold
from tests.builders import an_interaction
from tests.journeys.client import Person
from tests.proofs.world import World, day, instant
from tests.spellings import HOPE, NAMED, ORGANIZATION, VALUES
from tests.support import eventually

KEPT = {"keep_reason": "He gave it to us"}
_ESCAPES = re.compile(r"\\+u([0-9a-f]{4})")
_MARKS = re.compile("[\u0300-\u036f]")


def writings(text: str) -> Iterator[str]:
    """Yield a text in lower case: as it is, and without escapes, per cent signs and marks."""
    lower = text.lower()
    plain = unquote(_ESCAPES.sub(lambda found: chr(int(found[1], 16)), lower).replace("=\n", ""))
    yield lower
    yield plain
    yield _MARKS.sub("", unicodedata.normalize("NFKD", plain))
    yield unquote(plain.replace("=", "%"))


def found_in(text: str, needles: Collection[str]) -> list[str]:
    """Return which needles a text contains, however it is encoded."""
    each = list(writings(text))
    if not any(map(any_of(frozenset(needles)).search, each)):
        return []
    return sorted(needle for needle in needles if any(needle in writing for writing in each))


@functools.lru_cache(maxsize=8)
def any_of(words: frozenset[str]) -> re.Pattern[str]:
    """Return an expression for any of these words, as a tree of prefixes. Each of thousands of alternatives would be tried everywhere."""

    def tree(words: list[str]) -> str:
        prefix = os.path.commonprefix(words)  # noqa: RUF071 - of letters is what is meant
        tails = [word.removeprefix(prefix) for word in words]
        branches = "|".join(tree(list(same)) for _, same in itertools.groupby(tails, key=lambda tail: tail[0])) if all(tails) else ""
        return re.escape(prefix) + (f"(?:{branches})" if branches else "")

    return re.compile(tree(sorted(words)))


def encoded(value: str) -> Iterator[str]:
    """Yield what a value looks like inside Base64, at any offset, and as hexadecimal digits."""
    for raw in {form.encode(kind) for form in (value, value.lower(), value.upper(), fold(value)) for kind in ("utf-8", "utf-16-le")}:
        yield raw.hex()
        for before in range(3):
            # Characters that share bits with what stands before or behind are left out.
            whole = base64.b64encode(bytes(before) + raw).decode().rstrip("=")
            yield whole[-(-before * 8 // 6) : len(whole) - (1 if (before + len(raw)) % 3 else 0)].lower()


class Erased:
    """A person whom others' texts name in many ways."""

    def __init__(self, n: int) -> None:
        """Invent names and values that occur nowhere else."""
        word = "".join(chr(ord("a") + int(digit)) for digit in f"{n:04d}")
        self.first, self.last = f"Zqerst{word}", f"Wyvern-Lindq{word}"
        self.cell, self.mail = f"956-55{n // 1000}-{1000 + n % 1000:04d}", f"zqe.{word}@gmail.com"
        self.id = ""

    def entered(self, by: Person) -> None:
        """Register the person, and name them in rows about others in every possible way."""
        points = [{"kind": "cell", "value": self.cell}, {"kind": "email", "value": self.mail}]
        card = {"first_name": self.first, "last_name": self.last, "state": "TX", "contact_points": points}
        self.id = by.post("/individuals", card)["id"]
        plain, turned = f"{self.first} {self.last}", f"{self.last.upper()}, {self.first}"
        other = by.post("/individuals", {"first_name": "Quincy", "last_name": f"Notewell{fold(self.first)[6:]}", "title": f"Aide to {plain}"})["id"]
        by.post(f"/individuals/{other}/notes", {"text": f"{plain} introduced us.", "provenance": turned})
        by.post(f"/individuals/{other}/notes", {"text": f"Reach him at ({self.cell[:3]}) {self.cell[4:]} or {self.mail.upper()}.", **KEPT})
        by.post("/organizations", {"name": f"Office of {plain}", "state": "TX"})
        by.post("/interactions", an_interaction(other, outcome=f"Ask {self.first} Q. {self.last.replace('-', ' ')}."))

    @property
    def needles(self) -> set[str]:
        """What identifies them in a text of lower-case letters without marks."""
        first, (*_, last) = fold(self.first), fold(self.last).split()
        bare, (local, _, host) = self.cell.replace("-", ""), self.mail.partition("@")
        area, line, end = self.cell.split("-")
        return {first, last, bare, *(f"{area}{part}{line}{gap}{end}" for part in (") ", ")", ".", " ", "-", "/") for gap in ".- "), local} | {
            f"{local.replace('.', '')}@{host}"
        }


class Everywhere(Erased):
    """A person whose name and values go through every place of entry."""

    def __init__(self, n: int) -> None:
        """Choose a name that can be spelled in many ways."""
        super().__init__(n)
        self.first = self.first.replace("e", "é", 1)
        self.name = f"{self.first} {self.last}"

    @property
    def named(self) -> list[str]:
        """Their name as people and programs spell it."""
        apart = unicodedata.normalize("NFD", self.name)
        return [self.name, apart, self.name.upper(), f"{self.last}, {self.first}", fold(self.name).title(), self.name.replace("-", "\u2011")]

    @property
    def needles(self) -> set[str]:
        """Also what identifies them inside encoded text."""
        values = (self.first, self.last, self.cell.replace("-", ""), self.cell, self.mail)
        return super().needles | {form for value in values for form in encoded(value)}

    def entered(self, by: Person) -> None:
        """Register the person as the others are, and also where only a series of requests leads."""
        super().entered(by)
        name, mine = self.name, f"/individuals/{self.id}"
        by.patch(mine, {"title": f"Chief, {name}", "interests": [name], "salutation": self.first[:20], "organization": f"{name} Partners"})
        by.patch(mine, {"organization": f"Sons of {name}"})
        by.post(f"{mine}/notes", {"text": f"{name} likes fishing.", "provenance": self.mail, **KEPT}, headers={"Idempotency-Key": self.mail})
        by.post(f"{mine}/contact-points", {"kind": "work_address", "value": f"12 {self.last} Street, Austin, TX 78701"})
        by.ask("GET", f"{mine}/contact-points", params={"reason": f"{name} asked"}, headers={"X-Request-Id": self.cell})
        office = {"label": f"{name} Annex", "phone": self.cell}
        address = {"street": f"1 {name} Way", "city": name, "postal_code": self.cell, "country": f"Land of {name}"}
        works = {
            "name": f"{name} Works",
            "source_url": f"https://example.org/who/{fold(self.name).replace(' ', '-')}",
            "offices": [{**office, "address": address}],
        }
        home = f"/organizations/{by.post('/organizations', {**works, 'state': 'TX'})['id']}"
        by.patch(home, {"name": f"Works {self.first[6:]}"})
        other = by.post("/individuals", {"first_name": "Quincy", "last_name": f"Elsewhere{self.first[6:]}", "interests": [f"Fund of {name}"]})["id"]
        promise = {"text": f"Call {name} back", "due_on": day(3)}
        by.post("/interactions", an_interaction(other, outcome=f"{name} came along.", follow_ups=[promise]))
        by.post("/interactions", an_interaction(self.id, outcome=f"{self.last} agreed at {self.cell}", **KEPT))
        held = by.post("/events", {"name": f"Dinner with {name}", "starts_at": instant(days=-1)})["id"]
        by.post(f"/events/{held}/attendees", {"individual_ids": [self.id]})

    def asked_and_frozen(self, world: World) -> None:
        """Name the person in questions, reports, another's case, with an account that freezes many, and at sign-in."""
        world.chloe.post(f"/individuals/{self.id}/contact-points/corrections", {"kind": "email", "value": f"also.{self.mail}"})
        other = world.an_individual()["id"]
        asks = {"individual_id": other, "message": f"{self.name} would like a word."}
        eventually(
            lambda: world.chloe.ask("POST", "/coordination-requests", json=asks).status_code == 201, why="interactions hears whose record it is"
        )
        declined = world.a_coordination_request(world.an_individual()["id"])
        world.amina.patch(f"/coordination-requests/{declined['id']}", {"status": "declined", "reason": f"{self.name} called already."})
        asked = world.a_no_contact_request()
        # Its owner proposes to take it back, and nobody confirms.
        world.amina.ask("POST", f"/no-contact-requests/{asked['id']}/withdraw", expect=200, json={"reason": f"{self.name} was meant"})
        for n in range(10):
            body = {"individual_id": world.an_individual(by="bruno")["id"], "medium": "phone", "received_on": day(0)}
            world.bruno.post("/no-contact-requests", {**body, "reason": f"{self.named[n % 6]} said so."})
        answer = world.nobody.ask("POST", "/sessions", json={"username": self.mail, "password": self.name})
        assert answer.status_code in {401, 429}

    def filed(self, by: Person) -> list[str]:
        """Put the person into files of each kind, imported or abandoned at every step; return the abandoned imports."""
        table = [
            ["First Name", "Last Name", "State", "Cell", "E-mail Address", "Job title", f"Religion of {self.name}"],
            [self.first, self.last, "Atlantis", "none at all", self.mail, "", "none"],
            ["Noa", f"Elsewhere{self.first[6:]}", "TX", f"ask at {self.mail}", "", f"Aide to {self.name}", "none"],
        ]
        written = io.StringIO()
        csv.writer(written).writerows(table)
        cards = [
            f"BEGIN:VCARD\r\nVERSION:3.0\r\nN:{last};{first};;;\r\nFN:{first} {last}\r\nTITLE:Aide to {self.name}\r\nTEL;TYPE=CELL:{tel}\r\n"
            f"NOTE:{self.name}\r\nX-{fold(self.last).replace(' ', '-')}:1\r\nEND:VCARD\r\n"
            for first, last, tel in ((self.first, self.last, self.cell), ("Noa", f"Cardwell{self.first[6:]}", self.mail))
        ]
        files = {"csv": written.getvalue().encode(), "xlsx": _workbook(self.name[:31], table), "vcf": "".join(cards).encode()}
        left = [self._filed_under_a_column(by)]
        for ending, content in files.items():
            left.append(f"/imports/{by.take_in(f'{self.name}.{ending}', content)['id']}")
            for until in ("mapped", "checked", "cancelled"):
                file = (f"{self.name} {self.cell} {until}.{ending}", _another(content))
                path = f"/imports/{by.ask('POST', '/imports', expect=201, files={'file': file}).json()['id']}"
                if until == "checked":
                    by.post(f"{path}/dry-run", expect=202)
                    World.wait_for_import(by, path, "checked")
                elif until == "cancelled":
                    by.post(f"{path}/cancel", expect=202)
                left.append(path)
            by.ask("POST", "/imports", files={"file": (f"{self.name}.pdf", f"{ending} of {self.mail}".encode())})
        return left

    def _filed_under_a_column(self, by: Person) -> str:
        """Use the name as a column's name with a refused cell."""
        columns = {"First Name": "first_name", "Last Name": "last_name", f"Cell of {self.name}": "cell"}
        content = f"{','.join(columns)}\nNoa,Columnwell{self.first[6:]},none at all\n".encode()
        path = f"/imports/{by.ask('POST', '/imports', expect=201, files={'file': ('list.csv', content)}).json()['id']}"
        by.patch(path, {"mapping": [{"column": column, "field": field} for column, field in columns.items()]})
        for step, state in (("dry-run", "checked"), ("commit", "committed")):
            by.post(f"{path}/{step}", expect=202)
            World.wait_for_import(by, path, state)
        return path

    def digests(self, world: World) -> set[str]:
        """Return digests of the values, without a key and with the system's own keys."""
        bare = self.cell.replace("-", "")
        values = {self.first, self.last, self.name, self.cell, bare, f"+1{bare}", self.mail}
        plain = {form.encode() for value in values for form in (value, value.lower(), value.upper(), fold(value), fold(value).replace(" ", ""))}
        made = {hashlib.new(kind, form).digest() for kind in ("md5", "sha1", "sha256", "sha512", "blake2b", "sha3_256") for form in plain}
        keyed = Digests(Keyring.read(StateFolder(world.system.data).secrets["digest_key"]))
        for kind, canonical in (("cell", f"+1{bare}"), ("email", canonical_email(self.mail) or "")):
            made |= {*keyed.matches(kind, canonical), *(each for office in ("ICE", "PSO") for each in keyed.lookups(office, kind, canonical))}
        return {digest.hex() for digest in made} | {base64.b64encode(digest).decode().rstrip("=").lower() for digest in made}


class Hope(Erased):
    """A person with an employer, whom files bring back in a hundred spellings."""

    def __init__(self) -> None:
        """Choose the name of the spellings."""
        self.first, self.last, self.id = HOPE["first_name"], HOPE["last_name"], ""

    def entered(self, by: Person) -> None:
        """Register the person at an organization, and name them in a note about somebody else."""
        employer = by.post("/organizations", {"name": ORGANIZATION, "state": "TX"})["id"]
        self.id = by.post("/individuals", {**{name: HOPE[name] for name in HOPE if name != "organization"}, "organization_id": employer})["id"]
        other = by.post("/individuals", {"first_name": "Quincy", "last_name": "Notewellhope"})["id"]
        by.post(f"/individuals/{other}/notes", {"text": f"{self.first} {self.last} introduced us."})

    @property
    def needles(self) -> set[str]:
        """What is hers in every spelling."""
        lines = {f"505{one}555{two}{end}" for end in ("0142", "0177") for one in ("", "-", ".", " ", ") ", "/") for two in ("", "-", ".", " ")}
        return {"erasegard", "herase@", "h.erase@", *lines}

    @staticmethod
    def brought_back(by: Person, farid: Person) -> dict[str, str]:
        """Import a file of all spellings; return the people whose row came in, with its outcome.

        The many hits stop the import again and again, until the privacy officer has seen them (T35).
        """
        written = io.StringIO()
        rows = [{"Last name": f"Bringer{chr(97 + n // 26)}{chr(97 + n % 26)}", _COLUMNS[kind]: value} for n, (kind, value) in enumerate(VALUES)]
        for first, last, more in NAMED:
            said = {"Company": more.get("organization"), "Job title": more.get("title"), "Interests": "; ".join(more.get("interests", ()))}
            rows.append({"First name": first, "Last name": last, **said})
        table = csv.DictWriter(written, ["First name", "Last name", "Company", "Job title", "Interests", *_COLUMNS.values()])
        table.writeheader()
        table.writerows(rows)

        def seen() -> None:
            farid.ask("POST", f"/suppression-lookups/{by.user['id']}", json={})

        path = f"/imports/{by.take_in('list.csv', written.getvalue().encode(), stopped=seen)['id']}"
        found = {row["n"]: row["outcome"] for row in by.get(f"{path}/rows", limit=200)["items"]}
        assert len(found) == len(rows)
        return {str(rows[n]): outcome for n, outcome in found.items() if outcome != "blocked"}


_COLUMNS = {"email": "E-mail", "cell": "Mobile", "personal_phone": "Home phone", "work_phone": "Business phone"}


def _another(content: bytes) -> bytes:
    """Return a file with the same content and other bytes: an archive may end with a comment."""
    return content[:-2] + b"\1\0\n" if content.startswith(b"PK") else content + b"\n"


def _workbook(sheet: str, table: list[list[Any]]) -> bytes:
    made = io.BytesIO()
    book = xlsxwriter.Workbook(made)
    page = book.add_worksheet(sheet)
    for n, row in enumerate(table):
        page.write_row(n, 0, row)
    book.close()
    return made.getvalue()
