"""Decode files. A few invalid bytes do not change the encoding of a file; they are marked where they are."""

from __future__ import annotations

import codecs
import io
import re

from services.contacts.contract.imports import NotText, TooManyRows
from services.contacts.domain.imports.tables import LOST, MOST_LINES

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_FOREIGN = ["cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "gb18030", "big5", "shift_jis", "euc_kr"]
_SAMPLE = 64 << 10
#: A text has at most this many control characters or zero bytes.
_SLIPS = 8
#: A multibyte character in UTF-8.
_SEVERAL = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_LINE = re.compile(rb"[^\r\n]*[\r\n]*")
_TEXT_OF_LINE = re.compile(rb"[^\r\n]++")
_BEYOND = bytes(range(0x80, 0x100))


def decoded(content: bytes) -> str:
    """Decode the bytes; those that are invalid in the file's encoding become U+FFFD.

    :raises NotText:
    :raises TooManyRows: the file has too many lines, which are counted before it is decoded.
    """
    content, encoding = in_one_encoding(content)
    if max(content.count(b"\n"), content.count(b"\r")) > MOST_LINES:
        raise TooManyRows
    if encoding == "cp1252 or utf-8":
        return _line_by_line(content)
    return content.decode(encoding, "surrogateescape" if encoding in {"utf-8", "cp1252"} else "replace").translate(_LOST)


_LOST = dict.fromkeys(range(0xDC80, 0xDD00), LOST) | {0: LOST}


def in_one_encoding(content: bytes) -> tuple[bytes, str]:
    """Return the bytes with their encoding, by byte order mark or by likelihood. UTF-16 and UTF-32 are converted to UTF-8.

    :raises NotText:
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            text = content[len(mark) :]
            if encoding == "utf-8":
                return _as_text(text, encoding)
            as_text = text.decode(encoding, "replace")
            if as_text.count(LOST) > _SLIPS or not as_text.strip(LOST + "\x00"):
                raise NotText
            return _as_text(as_text.encode("utf-8", "replace"), "utf-8")
    if content.count(0) > _SLIPS:
        raise NotText
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return _as_text(content, _guessed(content))
    return content, "utf-8"


def _guessed(content: bytes) -> str:
    several, single = _beyond_ascii(content)
    # 1. Mostly UTF-8: invalid bytes are damaged, and the rest is right.
    if several >= single:
        return "utf-8"
    # 2. Another script: European names are a few marked letters among plain ones, which every guess mistakes for another
    #    European encoding; only where plain letters are few is a guess worth more than what Windows here writes.
    telling = _telling(content)
    if sum(byte > 0x7F for byte in telling) * 3 > len(telling):
        from charset_normalizer import from_bytes

        best = from_bytes(telling, cp_isolation=_FOREIGN).best()
        if best:
            try:
                content.decode(best.encoding)
            except UnicodeDecodeError:
                pass
            else:
                return best.encoding
    # 3. Windows. Lines that are valid UTF-8 too are ambiguous.
    return "cp1252 or utf-8" if several else "cp1252"


def _beyond_ascii(content: bytes) -> tuple[int, int]:
    """Return the number of multibyte UTF-8 characters, and of other bytes beyond ASCII.

    They are counted without a list, which would be many times longer than the file.
    """
    plain = len(content.translate(None, _BEYOND))
    right = content.decode("utf-8", "ignore")
    return len(right) - plain, len(content) - len(right.encode("utf-8"))


def _telling(content: bytes) -> bytes:
    """Return a sample of the first lines beyond ASCII."""
    sample = bytearray()
    for line in _TEXT_OF_LINE.finditer(content):
        if not line[0].isascii():
            sample += line[0] + b"\n"
        if len(sample) >= _SAMPLE:
            break
    return bytes(sample[:_SAMPLE])


def _as_text(content: bytes, encoding: str) -> tuple[bytes, str]:
    # A file full of control characters is not text.
    head = content[:_SAMPLE]
    if sum(byte < 0x20 and byte not in b"\t\r\n\f\v" for byte in head) > _SLIPS or not content.strip(b"\x00"):
        raise NotText
    return content, encoding


def _line_by_line(content: bytes) -> str:
    lines = io.StringIO(newline="")
    for found in _LINE.finditer(content):
        text = found[0].decode("cp1252", "surrogateescape").translate(_LOST)
        lines.write(LOST + text if _SEVERAL.search(found[0]) else text)
    return lines.getvalue()


#: Character sets that cards may name, by their letters and digits, and the codec of each. A name that came in a file is never
#: looked up in the system: among Python's codecs are some that unpack, and some that take minutes.
_CHARACTER_SETS = {
    name: codec
    for codec, names in {
        "utf-8": "utf8 utf8mb4 unicode11utf8 unicodeutf8 usascii ascii ansix341968 iso646us cp367 ibm367 us",
        "utf-16": "utf16 ucs2 iso10646ucs2 unicode",
        "utf-16-le": "utf16le",
        "utf-16-be": "utf16be",
        "cp1250": "windows1250 cp1250 xcp1250",
        "cp1251": "windows1251 cp1251 xcp1251",
        # Files that claim Latin-1 use the Windows encoding, which has more letters.
        "cp1252": "windows1252 cp1252 xcp1252 ansi iso88591 isoir100 iso885911987 latin1 l1 ibm819 cp819 westerneurope",
        "cp1253": "windows1253 cp1253",
        "cp1254": "windows1254 cp1254 iso88599 latin5 l5",
        "cp1255": "windows1255 cp1255",
        "cp1256": "windows1256 cp1256",
        "cp1257": "windows1257 cp1257",
        "cp1258": "windows1258 cp1258",
        "iso8859-2": "iso88592 latin2 l2 isoir101",
        "iso8859-3": "iso88593 latin3 l3",
        "iso8859-4": "iso88594 latin4 l4",
        "iso8859-5": "iso88595 cyrillic",
        "iso8859-6": "iso88596 arabic",
        "iso8859-7": "iso88597 greek",
        "iso8859-8": "iso88598 iso88598i hebrew",
        "iso8859-10": "iso885910 latin6 l6",
        "iso8859-13": "iso885913 latin7",
        "iso8859-14": "iso885914 latin8",
        "iso8859-15": "iso885915 latin9 latin0 l9",
        "iso8859-16": "iso885916 latin10",
        "cp874": "windows874 cp874 tis620 iso885911 thai",
        "cp437": "cp437 ibm437",
        "cp850": "cp850 ibm850",
        "cp852": "cp852 ibm852",
        "cp866": "cp866 ibm866",
        "koi8-r": "koi8r koi8",
        "koi8-u": "koi8u",
        "mac-roman": "macintosh macroman xmacroman mac xmacintosh",
        "cp932": "shiftjis sjis xsjis mskanji windows31j cp932 ms932 csshiftjis",
        "euc-jp": "eucjp xeucjp",
        "iso2022_jp": "iso2022jp csiso2022jp jis",
        "gb18030": "gb18030 gbk cp936 ms936 windows936 gb2312 euccn xgbk gb231280",
        "hz": "hz hzgb2312",
        "cp950": "big5 cp950 xxbig5 big5tw csbig5",
        "big5hkscs": "big5hkscs",
        "cp949": "euckr ksc56011987 ksc5601 cp949 uhc windows949 ksx1001",
        "iso2022_kr": "iso2022kr",
    }.items()
    for name in names.split()
}
#: In these encodings, text in other scripts looks like ASCII.
SHIFTING = frozenset({"utf-16", "utf-16-le", "utf-16-be", "iso2022_jp", "iso2022_kr", "hz"})
_LONGEST_NAME = 40


def character_set(name: str) -> str | None:
    """Return the codec of a character set that a file names, or None if it is unknown."""
    if len(name) > _LONGEST_NAME:
        return None
    return _CHARACTER_SETS.get("".join(letter for letter in name.lower() if letter.isascii() and letter.isalnum()))
