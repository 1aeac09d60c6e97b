"""Where contacts keeps things: tables, and the statements over them."""
