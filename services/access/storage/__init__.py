"""The tables of access, and the statements over them."""
