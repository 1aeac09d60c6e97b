"""Protect exported cells from being run as formulas by spreadsheets, which check the first character."""

from typing import Final

#: The last four are full-width signs, which East Asian spreadsheets accept, too.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def harmless(text: str) -> str:
    """Return a cell that no spreadsheet runs as a formula; `as_written` undoes it."""
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA) else text


def as_written(cell: str) -> str:
    """Return the text from which `harmless` made the cell."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(_FORMULA) else cell
