"""How the trail is kept: its tables, what is written and read there, and the witness's file."""
