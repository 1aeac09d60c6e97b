"""Letters that look like others, so that a word is known again however it was drawn; for comparing, never for display."""

from typing import Final

from services.lexicon.folding import fold, plain

# As they are drawn: capitals of other scripts look like other letters than their small forms do.
_DRAWN: Final = {
    # Cyrillic
    **dict(zip("АВЕКМНОРСТУХІЇЈЅԀԚԜҺӀЬ", "ABEKMHOPCTYXIIJSDQWHIb", strict=True)),
    **dict(zip("авекмнорстухіїјѕԁԛԝһӏьґгпи", "abekmhopctyxiijsdqwhlbrrnu", strict=True)),
    # Greek
    **dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹϺ", "ABEZHIKMNOPTYXCM", strict=True)),
    **dict(zip("αβγεηικνοπρστυχωϲϳ", "abyenikvonpotuxwcj", strict=True)),
    # Armenian, Cherokee, Coptic
    **dict(zip("օոսցհյգքէ", "onughjqpt", strict=True)),
    **dict(zip("ᎪᏴᏟᎠᎬᏀᎻᎥᎫᏦᏞᎷΝᏢᏚᎢᏙᎳᏃ", "ABCDEGHIJKLMNPSTVWZ", strict=True)),
    # Latin letters drawn small, turned or as in phonetics
    **dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz", strict=True)),
    **dict(zip("ɑɡɩɪƖǀƒɛɔʋʏʐ", "agiiiifeovyz", strict=True)),
}  # fmt: skip
_AS_LATIN: Final = str.maketrans(_DRAWN)
#: Which of several letters drawn alike stands for all of them.
_ALIKE: Final = str.maketrans({"0": "o", "1": "l", "i": "l", "5": "s", "3": "e", "4": "a"})
#: Apostrophes of every kind; some of them fall apart before they can be told from blanks.
_APOSTROPHES: Final = str.maketrans(dict.fromkeys("\u00b4\u2018\u2019\u201b\u2032\u2035\u02b9\u02bb\u02bc\u02bd\u02ca\u02cb\u0060\uff07\uff40", "'"))


def latin(written: str) -> str:
    """Give folded words with letters of other scripts as the Latin ones that they look like, for matching."""
    return fold(written if written.isascii() else plain(written.translate(_APOSTROPHES)).translate(_AS_LATIN))


def skeleton(written: str) -> str:
    """Give folded words in which letters that look alike are one; idempotent.

    "Аcmе" with a Cyrillic A, "Acme" and "ACME" give the same. Digits among letters count as the letters they look like;
    a word of digits alone stays a number.
    """
    return " ".join(_word(word) for word in latin(written).split())


def _word(word: str) -> str:
    if word.isdigit():
        return word
    return word.translate(_ALIKE).replace("rn", "m").replace("vv", "w")
