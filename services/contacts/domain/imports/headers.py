"""The names of columns, field → names, without case, punctuation, word order and numbers; and which field a column names.

The names come from exports of Google (both layouts), Outlook, Outlook.com, Thunderbird, Yahoo, LinkedIn, iCloud, Android,
HubSpot and Salesforce, and from ordinary spreadsheets.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Final

from services.contacts.contract.imports import NOT_TAKEN_IN, PLURAL_FIELDS
from services.contacts.domain.imports import forbidden
from services.lexicon.folding import fold, words

#: A name belongs to the first field that lists it. `ADORNMENTS` around a name need no row of their own.
NAMES: Final[dict[str, str]] = {
    "name": """name|full name|fullname|complete name|legal name|member|contact|person|display name|stakeholder|attendee|participant|guest
        |invitee|registrant|speaker|speaker name|point of contact|poc|primary contact|primary contact name|main contact|key contact
        |contact person|representative name|fn|name last first|last name first name|official name|official|file under""",
    "salutation": """salutation|prefix|name prefix|courtesy title|honorific|honorific prefix|mr ms|mr mrs ms|mr mrs|form of address
        |title prefix|pre title|greeting""",
    "first_name": "first name|first|given name|forename|firstname|given|fname|f name|first nm|givenname|christian name|legal first name",
    "middle_name": """middle name|middle|additional name|additional names|middle initial|mi|middlename|mname|second name|middle names
        |middle init|initial""",
    "last_name": "last name|last|surname|family name|lastname|family|lname|l name|last nm|familyname|sur name|sn|legal last name",
    "suffix": "suffix|name suffix|generation|generational suffix|honorific suffix|sfx|jr sr",
    "title": """title|job title|position|role|jobtitle|job|position title|office held|organization title|occupation|business title
        |work title|professional title|job role|job position|designation|rank|function|official title|post""",
    "organization": """organization|organisation|company|employer|agency|org|firm|institution|affiliation|company name|organization name
        |organisation name|org name|account name|agency name|employer name|business|business name|associated company|company organization
        |agency organization|organization affiliation|entity|entity name|association|association name|institution name|department agency
        |office or agency|university|school name|company firm|firm name|nonprofit|jurisdiction|jurisdiction name|government|tribe name
        |parent account|workplace|place of work|works for|work company""",
    "organization_state": """organization state|company state|employer state|agency state|org state|state of incorporation
        |business location state|headquarters state|hq state|account state""",
    "state": """state|state code|represents|state territory|state represented|us state|state abbreviation|st abbr|state province
        |state region|usstate|state name|stateprovince""",
    "interests": "interests|interest|topics|topics of interest|areas of interest|issue areas|interested in|area of interest",
    "notes": """notes|note|comments|comment|remarks|remark|memo|description|additional notes|general notes|other notes|internal notes
        |notes comments|additional information|additional comments|background|misc|miscellaneous""",
    "cell": """cell|cell phone|mobile|mobile phone|cell number|mobile number|cellphone|cellular|mobile phone number|cell phone number
        |cellular phone|cell no|mobile no|cel|mobile telephone|mobilephone|cell mobile|car phone|iphone|personal cell|work cell
        |business mobile|work mobile|personal mobile|company cell|sms|text number|smartphone|blackberry""",
    "personal_phone": """home phone|personal phone|home telephone|home number|phone home number|home tel|homephone|residence phone
        |res phone|home landline|other phone|personal phone number|personal number|private phone|home|home ph|other telephone
        |evening phone|alternate home phone""",
    "work_phone": """work phone|business phone|phone|telephone|dc phone|direct phone|direct line|phone number|tel|work telephone
        |company main phone|phone no|primary phone|main phone number|telephone number|tel no|work phone number|business phone number
        |office phone number direct|ph|ph no|phone1|work number|work tel|business telephone|businessphone|workphone|direct dial|direct|did
        |desk phone|daytime phone|day phone|contact number|contact no|callback|call back|primary phone number|telephone no|work
        |workphone number|work ph|yahoo phone|landline|land line|alternate phone|alt phone|secondary phone|second phone|other phone number
        |additional phone|phone ext|radio phone|work phone direct|business number|company phone direct|voice|phones|phone numbers
        |telephones""",
    "email": """email|email address|mail|work email|business email|email1|emailaddress|primary email|email id|personal email|home email
        |other email|secondary email|alternate email|alt email|second email|second email address|work email address|personal email address
        |emails|email addresses|main email|official email|company email|corporate email|mail address electronic|internet address
        |smtp address|primary smtp address|mailbox|additional email|additional emails|userprincipalname|business mail
        |alternate email address|other email address|primary email address|secondary email address|business email address
        |home email address""",
    "value_kind": """email type|phone type|address type|email label|phone label|address label|telephone type|phone kind|email kind
        |mailing type|number type|phone number type""",
    "work_address": """work address|business address|address|dc office|mailing address|full address|dc address|address formatted
        |complete address|postal address|street mailing address|other address|work mailing address|address block|address lines
        |location address|work address formatted|correspondence address|primary address|capitol office|capitol address|dc office address""",
    "work_street": """business street|work street|street address|business address street|address line|mailing street|other street
        |work street address|work address line|business address line|mailing address line|addr|addr1|address1|address one|primary street
        |street line|address line one|line|street name|stnumber street|street and number""",
    "work_street_2": """work extended address|address extended address|mailing street second|address2|addr2|business street second
        |work street second|other street second|extended address|address second|address line second|work address second
        |business address second|mailing address second|street second|street address second|apt suite|address two|other extended address
        |business extended address|floor|building|bldg|mail stop|mailstop|line second|address third|address line third
        |business street third|other street third|street third|building name|office building|work building""",
    "work_po_box": """work po box|business po box|address po box|business address po box|other po box|mailing po box|post office box
        |po box|pobox|other address po box|work address po box|mailing address po box|box""",
    "work_city": """business city|work city|business address city|address city|mailing city|other city|work town|business town
        |mailing address city|city name|work address city|primary city|address town|locality|work locality""",
    "work_state": """business state|work state|business address state|address region|address state|mailing state|other state
        |mailing state province|business state province|other state province|work region|mailing address state|work state province
        |work address state|region|primary state|primary state province|address province""",
    "work_postal_code": """business postal code|work postal code|business zip|work zip|business address postal code|address postal code
        |address zip|mailing zip|mailing postal code|mailing zip postal code|other postal code|other zip postal code|other zip
        |work zipcode|work zip code|business zip code|mailing zip code|address zip code|mailing address zip|primary zip postal code
        |address postcode|primary zip""",
    "work_country": """business country region|work country|business country|business address country|address country|mailing country
        |other country region|other country|work country region|mailing address country|address country code|primary country
        |mailing country region""",
    "office_label": """office|office name|office label|branch|office location|field office|office type|site|site name|duty station
        |regional office|branch name""",
    "office_address": """office address|district office|field office address|organization address|company address|employer address
        |agency address|org address|headquarters address|hq address|district address|office mailing address|local office address
        |branch address|office location address""",
    "office_street": """office street|organization street|company street|organization street address|company street address|billing street
        |office street address|office address line|agency street|billing address line|shipping street|company address line""",
    "office_suite": """suite|office suite|room|unit|ste|suite room|office room|room number|suite number|room no|office number|suite no
        |office address second""",
    "office_po_box": "office po box|organization po box|company po box",
    "office_city": """office city|organization city|company city|billing city|agency city|headquarters city|hq city|shipping city
        |district office city""",
    "office_state": """office state|st|billing state|billing state province|office st|shipping state|shipping state province
        |district office state""",
    "office_postal_code": """office zip|office postal code|organization zip|organization postal code|company zip|company postal code
        |billing zip|billing postal code|billing zip postal code|agency zip|office zip code|company zip code|shipping zip postal code
        |organization zip code""",
    "office_country": "office country|organization country|company country|billing country|shipping country|headquarters country",
    "office_phone": """office phone|district phone|main phone|office telephone|switchboard|organization phone|company phone
        |organization telephone|company telephone|organization phone number|company phone number|agency phone|office phone number
        |main office phone|main number|office tel|org phone|headquarters phone|hq phone|employer phone|account phone|office main
        |office line|organization office phone|main line|front desk""",
}

#: Parts of an address of an office or of a person; other columns tell which.
PLAIN_PARTS: Final[dict[str, str]] = {
    "street": "street",
    "city": "city|town|city town|city name|municipality|city or town|city municipality",
    "postal_code": """zip|zip code|postal code|postcode|zipcode|zip postal code|zip4|zip code plus four|zip plus 4|post code|zip code 4
        |postalcode|zip postal""",
    "country": "country|country region|country name|nation|country code",
}

#: Common words around the name of a field.
ADORNMENTS: Final = words(
    """
    the of and or a an your s contact contacts stakeholder attendee participant member person individual respondent registrant
    guest current preferred best value please enter optional required if any poc delegate invitee user client customer
    constituent donor liaison info information list
    """
)

_ORDINALS: Final = {"2": "second", "3": "third"}


@lru_cache(maxsize=4096)
def field_of(column: str) -> str | None:
    """Return the field of a column name: as it is, then without numbers, then without common extra words."""
    said = forbidden.words_of(column)
    known = _by_key()
    without = [word for word in said if not word.isdigit()]
    bare = [word for word in without if word not in ADORNMENTS]
    # "Street 2" is the second line of a street, but "Phone 2" is another phone.
    lines = [_ORDINALS.get(word, word) if at == len(said) - 1 else word for at, word in enumerate(said)]
    lines = [word for word in lines if not word.isdigit()]
    return next((known[key] for key in map(_key, (said, lines, without, bare)) if key in known), None)


def plain_part_of(column: str) -> str | None:
    """Return the part of an address that a column name says without saying of which address."""
    key = _key(forbidden.words_of(column))
    return _plain_parts().get(key) or _plain_parts().get(_key(w for w in key if not w.isdigit() and w not in ADORNMENTS))


@lru_cache(maxsize=4096)
def is_recognised(name: str) -> bool:
    """Return whether a cell is the name of a known or forbidden column, which identify the header row."""
    return fold(name) in _recognised() or (bool(name) and (field_of(name) is not None or forbidden.by_name(name) is not None))


def is_single(name: str) -> bool:
    """Return whether a column of that name is a field that a person has only once."""
    field = field_of(name)
    return field is not None and field not in PLURAL_FIELDS


@cache
def _recognised() -> frozenset[str]:
    names = {fold(name) for names in (*NAMES.values(), *PLAIN_PARTS.values()) for name in names.split("|")}
    return frozenset(names | {"categories", "notes", "department", "nickname", "connected on", fold(NOT_TAKEN_IN)})


def _key(said: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(said))


@cache
def _by_key() -> dict[tuple[str, ...], str]:
    found: dict[tuple[str, ...], str] = {}
    for field, names in NAMES.items():
        for name in names.split("|"):
            found.setdefault(_key(forbidden.words_of(name)), field)
    return found


@cache
def _plain_parts() -> dict[tuple[str, ...], str]:
    return {_key(forbidden.words_of(name)): part for part, names in PLAIN_PARTS.items() for name in names.split("|")}
