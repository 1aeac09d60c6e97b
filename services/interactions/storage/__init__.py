"""Where interactions keeps what it owns, and what others told it."""
