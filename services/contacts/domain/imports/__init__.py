"""Read files to import: tables, the meaning of their columns, and the records in their rows. Pure, without I/O.

``reading.read`` parses a file into a table; ``columns`` proposes a field for each column and refuses forbidden ones;
``records`` normalizes rows; ``matching`` finds the same person.
"""
