"""How the values and the name of somebody who asked not to be contacted are written by files, phones, people and attackers (T25)."""

from __future__ import annotations

from typing import Any

#: Hope Erasegard, who gave these.
GMAIL, CELL, SECOND, DESK_LINE, OFFICE_MAIL = "h.erase@gmail.com", "505-555-0142", "505-555-0177", "505-555-0100", "hope@larkspur.example"
ORGANIZATION = "Larkspur Levees, Inc."
HOPE: dict[str, Any] = {
    "first_name": "Hope",
    "last_name": "Erasegard",
    "organization": ORGANIZATION,
    "contact_points": [
        {"kind": kind, "value": value}
        for kind, value in (("email", GMAIL), ("cell", CELL), ("cell", SECOND), ("work_phone", DESK_LINE), ("email", OFFICE_MAIL))
    ],
}

#: Blocked under a name that has nothing to do with hers: the value is hers alone.
VALUES = [
    # What surrounds an address
    ("email", "'h.erase@gmail.com'"), ("email", '"h.erase@gmail.com,"'), ("email", "H.ERASE@GMAIL.COM"), ("email", "h.erase@gmail.com;"),
    ("email", "smtp:h.erase@gmail.com"), ("email", "mailto:h.erase@gmail.com?subject=Hi"), ("email", "MAILTO:h.erase@gmail.com"),
    ("email", "<h.erase@gmail.com>"), ("email", "Hope <herase@googlemail.com>"), ("email", "h.erase@gmail.com (work)"),
    ("email", "[h.erase@gmail.com](mailto:h.erase@gmail.com)"), ("email", "h.erase@gmail.com#mailto:h.erase@gmail.com#"),
    ("email", "E-mail: h.erase@gmail.com"), ("email", "«h.erase@gmail.com»"), ("email", "h.erase@gmail.com."), ("email", "h.erase@gmail.com/"),
    ("email", "h.erase [at] gmail [dot] com"), ("email", "h.erase @ gmail.com"), ("email", '"h.erase"@gmail.com'),
    ("email", "h.erase@gmail.com, h.erase@gmail.com"),
    # The same mailbox
    ("email", "herase+dhs@gmail.com"), ("email", "h.erase+a+b@gmail.com"), ("email", "h.erase+@gmail.com"), ("email", "h.e.r.a.s.e@gmail.com"),
    ("email", "h.erase@googlemail.com."), ("email", "h.erase@www.gmail.com"), ("email", "mailto:h.erase%2Bx@gmail.com"),
    # Wrapped, invisible, or drawn with other letters
    ("email", "h.erase%40gmail.com"), ("email", "h.erase%40gmail%2Ecom"), ("email", "h.erase&#64;gmail.com"),
    ("email", "ｈ．ｅｒａｓｅ＠ｇｍａｉｌ．ｃｏｍ"), ("email", "h.erase@gmail。com"), ("email", "h.erase﹫gmail.com"),
    ("email", "𝐡.𝐞𝐫𝐚𝐬𝐞@gmail.com"), ("email", "\u200bh.erase@gmail.com\u200b"), ("email", "\ufeffh.erase@gmail.com"),
    ("email", "\u202eh.erase@gmail.com\u202c"), ("email", "\u200fh.erase@gmail.com"), ("email", "h.erase\u00ad@gmail.com"),
    ("email", "h.e\u0301rase@gmail.com"), ("email", "hеrase@gmail.com"), ("email", "һ.erase@gmail.com"),
    ("email", "h.erase@gmaіl.com"), ("email", "h.erase@xn--gmal-n9d.com"), ("email", "h.erase@GMАIL.com"),
    # Telephones
    ("cell", "(505) 555-0142"), ("personal_phone", "505.555.0142"), ("work_phone", "+1 505 555 0142"), ("cell", "cell: 505-555-0142"),
    ("cell", "505-555-0142 x7"), ("cell", "1-505-555-0142 (mobile)"), ("cell", "tel:+15055550142"), ("cell", "505 555 0177"),
    ("cell", "tel:+1-505-555-0142;ext=7"), ("cell", "tel:5055550142;phone-context=+1"), ("cell", "001 505 555 0142"),
    ("cell", "011 1 505 555 0142"), ("cell", "0015055550142"), ("cell", "15055550142"), ("cell", "(505)5550142"), ("cell", "505/555-0142"),
    ("work_phone", "505-555-0142 extension 12"), ("work_phone", "505-555-0142x12"), ("work_phone", "505-555-0142 #12"),
    ("work_phone", "505-555-0142, 12"), ("cell", "sms:5055550142"), ("cell", "callto:+15055550142"), ("cell", "whatsapp:+15055550142"),
    ("cell", "５０５－５５５－０１４２"), ("cell", "٥٠٥٥٥٥٠١٤٢"), ("cell", "𝟓𝟎𝟓-𝟓𝟓𝟓-𝟎𝟏𝟒𝟐"), ("cell", "505\u2011555\u20110142"),
    ("cell", "\u202d505-555-0142\u202c"), ("cell", "\u200e+1 505-555-0142"), ("cell", "505\u00a0555\u00a00142"), ("cell", "5055550142.0"),
    ("cell", "(+1)505-555-0142"), ("cell", "+1 505 555 01 42"),
]  # fmt: skip
#: However name and organization are written, and in whichever field: first name, last name, and what else is given.
NAMED: list[tuple[str, str, dict[str, Any]]] = [
    ("Hope", "Erasegard", {"organization": "Larkspur Levees"}), ("HOPE", "ERASEGARD", {"organization": "The Larkspur Levees Corporation"}),
    ("Erasegard", "Hope", {"organization": "Larkspur Levees"}), ("Hope", "Erasegard Jr.", {"organization": "larkspur levees, inc"}),
    ("Dr. Hope", "Erasegard, PhD", {"organization": "Larkspur Levees"}), ("Hоpe", "Erаsegard", {"organization": "Larkspur Levees"}),
    ("Hope", "Erasegárd", {"organization": "Lárkspur Levées"}), ("Hope", "Erasegard", {"organization": "Lаrkspur Levees"}),
    ("Hope", "Erasegard", {"title": "Counsel, Larkspur Levees"}), ("Hope", "Erasegard", {"title": "Director at Larkspur Levees (DC)"}),
    ("Hope", "Erasegard", {"interests": ["Larkspur Levees"]}), ("H.", "Erasegard", {"organization": "Larkspur-Levees LLC"}),
    ("", "Hope Erasegard", {"organization": "Larkspur Levees"}), ("Hope", "Erasegard", {"organization": "Larkspur Levees, Field Office"}),
    ("Hope B.", "Erase Gard", {"organization": "Larkspur Levees"}), ("Hope", "Erasegard (Larkspur Levees)", {}),
    ("", "Erasegard, Hope", {"organization": "Larkspur Levees"}), ("Hope", "Erasegard-Smith", {"organization": "Larkspur Levees"}),
    ("Hope", "Smith (née Erasegard)", {"organization": "Larkspur Levees"}), ("Hope", "Smith f/k/a Erasegard", {"organization": "Larkspur Levees"}),
    ("Ms. Hope", "Erasegard III", {"organization": "Larkspur Levees"}), ("Ｈｏｐｅ", "Ｅｒａｓｅｇａｒｄ", {"organization": "Larkspur Levees"}),
    ("H\u200bope", "Erase\u200bgard", {"organization": "Larkspur Lev\u200bees"}), ("Ηope", "Εrasegard", {"organization": "Larkspur Levees"}),
    ("Hope", "E r a s e g a r d", {"organization": "Larkspur Levees"}), ("Hope", "Erase’gard", {"organization": "Larkspur Levees"}),
    ("Hope", "Er@segard", {"organization": "L@rkspur Levees"}), ("Hope", "Erasegard", {"organization": "LarkspurLevees"}),
    ("Hope", "Erasegard", {"organization": "Levees, Larkspur"}), ("Hope", "Erasegard", {"organization": "Larkspur Levee"}),
    ("Hope", "Erasegard", {"organization": "Larkspur's Levees"}), ("Hope", "Erasegard", {"organization": "larkspurlevees.com"}),
    ("Hope", "Erasegard", {"organization": "formerly Larkspur Levees"}), ("Hope", "Erasegard", {"organization": "Larkspur & Levees®"}),
    ("Hope", "Erasegard", {"organization": "Larkspur Levees, Inc. d/b/a LL"}), ("Hope", "Erasegard", {"title": "ex-Larkspur Levees"}),
]  # fmt: skip
#: What is no value that is kept: a door refuses it by name, so that it can't come back like this either.
REFUSED = [
    ("email", "h.erase(comment)@gmail.com"), ("email", "(x)h.erase@gmail.com"), ("email", "h..erase@gmail.com"), ("email", "h.erase.@gmail.com"),
    ("email", "h.erase at gmail.com"), ("email", "&lt;h.erase@gmail.com&gt;"), ("email", "IM:h.erase@gmail.com"),
    ("cell", "505-555-O142"), ("cell", "505-555-0142 Hope"), ("cell", "505 555 0142 pin 33"), ("cell", "505_555_0142"), ("cell", "+1+5055550142"),
    ("cell", "(0)505-555-0142"), ("cell", "505-555-0142w123"), ("work_phone", "505-555-0142 (mobile)"),
]  # fmt: skip
