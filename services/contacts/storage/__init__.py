"""Tables of contacts, and the statements over them."""
