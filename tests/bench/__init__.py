"""How fast it is, beside what the machine allows: `make bench`. Nothing here decides a test."""
