"""Reading files to import: tables of rows, what their columns are, and what each row says. Pure; no I/O.

``reading.read`` turns a file's bytes into a table; ``columns`` proposes what each column is and refuses what the
system must not hold; ``records`` turns rows into normalised records; ``matching`` says who is the same person.
"""
