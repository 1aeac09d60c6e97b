"""Storage of the trail: its tables, their statements, and the witness's file."""
