"""The tables of retention, and the statements over them."""
