"""Cells of a table that goes to a spreadsheet, which takes one that begins with certain signs for a formula."""

from typing import Final

#: A spreadsheet of East Asia takes the wide signs for formulas as well.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def harmless(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula; `as_written` gives the text back."""
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA) else text


def as_written(cell: str) -> str:
    """Return the text that `harmless` made the cell of."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(_FORMULA) else cell
