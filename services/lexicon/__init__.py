"""The words and rules of the field that all services share: pure functions, no I/O, no clock.

It sits beside ``services.chassis.messages`` at the bottom of the imports.

* ``vocabulary``: the closed lists (priorities, kinds, modes, media, levels, roles, sectors, sources).
* ``places``: states, territories and FEMA regions.
* ``canonical``: forms for matching, never for display; digests of them are made elsewhere.
* ``names``: splitting a written name, and likeness of two names.
* ``display``: how values are standardised for people to read (R80).
* ``screening``: what shared text must not hold (R41, T15).
* ``policy``: the field policy as data and the decision over it (T4, T5, T19, T20, T21).
* ``calendar``: the one-year clock (T6) and federal working days.
* ``duty``: who erases whoever asked for no more contact, and by when (T10).
* ``cells``: what goes to a spreadsheet, so that nothing of it is a formula (P20).
"""
