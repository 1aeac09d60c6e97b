"""The methods about imports."""

from __future__ import annotations


class ImportMethods:
    """What contacts answers about imports."""
