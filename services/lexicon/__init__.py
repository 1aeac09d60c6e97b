"""The terms and rules of the domain that all services share: pure functions without I/O or a clock.

* ``vocabulary``: the closed lists (priorities, kinds, modes, media, levels, roles, sectors, sources).
* ``places``: states, territories and FEMA regions.
* ``canonical``: canonical forms for matching, never for display.
* ``names``: comparing names. ``splitting``: splitting a written name into fields.
* ``display``: standardized values for display (R80).
* ``screening``: finding what shared text must not contain (R41, T15).
* ``policy``: the field policy as data and the decision over it (T4, T5, T19, T20, T21).
* ``calendar``: expiry after one year (T6) and federal working days.
* ``duty``: who must erase a person who asked for no more contact, and by when (T10).
* ``cells``: spreadsheet cells that cannot be formulas (P20).
"""
