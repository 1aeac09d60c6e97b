"""Map letters to the letters that they look like; for matching, never for display."""

from typing import Final

from services.lexicon.folding import fold, plain

# By appearance, so capitals may map to other letters than their small forms do.
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
    # Small capitals, turned and phonetic Latin letters
    **dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz", strict=True)),
    **dict(zip("ɑɡɩɪƖǀƒɛɔʋʏʐ", "agiiiifeovyz", strict=True)),
}  # fmt: skip
_AS_LATIN: Final = str.maketrans(_DRAWN)
#: The letter that stands for a group of lookalikes.
_ALIKE: Final = str.maketrans({"0": "o", "1": "l", "i": "l", "5": "s", "3": "e", "4": "a"})
#: All kinds of apostrophes, because normalization would decompose some of them into blanks.
_APOSTROPHES: Final = str.maketrans(dict.fromkeys("\u00b4\u2018\u2019\u201b\u2032\u2035\u02b9\u02bb\u02bc\u02bd\u02ca\u02cb\u0060\uff07\uff40", "'"))


def latin(written: str) -> str:
    """Replace letters of other scripts in folded words by the Latin letters that they look like."""
    return fold(written if written.isascii() else plain(written.translate(_APOSTROPHES)).translate(_AS_LATIN))


def skeleton(written: str) -> str:
    """Replace lookalike letters in folded words by one of them; idempotent.

    "Аcmе" with a Cyrillic A, "Acme" and "ACME" become equal. Digits among letters are replaced by letters; a word of
    digits only stays as it is.
    """
    return " ".join(_word(word) for word in latin(written).split())


def _word(word: str) -> str:
    if word.isdigit():
        return word
    return word.translate(_ALIKE).replace("rn", "m").replace("vv", "w")
