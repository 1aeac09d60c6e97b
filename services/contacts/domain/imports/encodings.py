"""From bytes to text: no file falls back to another encoding for a few bytes; what can't be read is marked where it stands."""

from __future__ import annotations

import codecs
import re

from services.contacts.contract.imports import NotText
from services.contacts.domain.imports.tables import LOST

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_FOREIGN = ["cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "gb18030", "big5", "shift_jis", "euc_kr"]
_SAMPLE = 64 << 10
#: So many control characters or zero bytes are slips; more are no text.
_SLIPS = 8
#: A character of several bytes in UTF-8.
_SEVERAL = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_UNDECODED = re.compile("[\udc80-\udcff]")
_LINE = re.compile(rb"[^\r\n]*[\r\n]*")


def decoded(content: bytes) -> str:
    """Return the bytes as text; where some are none in the file's encoding, stands U+FFFD.

    :raises NotText:
    """
    content, encoding = in_one_encoding(content)
    if encoding == "cp1252 or utf-8":
        return _line_by_line(content)
    return content.decode(encoding, "surrogateescape" if encoding in {"utf-8", "cp1252"} else "replace").translate(_LOST)


_LOST = dict.fromkeys(range(0xDC80, 0xDD00), LOST) | {0: LOST}


def in_one_encoding(content: bytes) -> tuple[bytes, str]:
    """Return the bytes, those of UTF-16 and UTF-32 as UTF-8, and their encoding: by mark, or the likeliest.

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
    several = len(_SEVERAL.findall(content))
    single = sum(byte > 0x7F for byte in _SEVERAL.sub(b"", content))
    # 1. Mostly UTF-8: what is none of it is damaged, and the rest is right.
    if several >= single:
        return "utf-8"
    # 2. Another script: European names are a few marked letters among plain ones, which every guess mistakes for another
    #    European encoding; only where plain letters are few is a guess worth more than what Windows here writes.
    telling = b"\n".join(line for line in content.splitlines() if not line.isascii())[:_SAMPLE]
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
    # 3. Windows; where some of it reads as UTF-8, nobody knows which of the two these lines are.
    return "cp1252 or utf-8" if several else "cp1252"


def _as_text(content: bytes, encoding: str) -> tuple[bytes, str]:
    # Text has no control characters; a file that is full of them is something else.
    head = content[:_SAMPLE]
    if sum(byte < 0x20 and byte not in b"\t\r\n\f\v" for byte in head) > _SLIPS or not content.strip(b"\x00"):
        raise NotText
    return content, encoding


def _line_by_line(content: bytes) -> str:
    lines = []
    for line in _LINE.findall(content):
        text = line.decode("cp1252", "surrogateescape").translate(_LOST)
        lines.append(LOST + text if _SEVERAL.search(line) else text)
    return "".join(lines)
