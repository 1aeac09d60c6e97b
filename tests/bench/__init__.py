"""Speed beside what the machine allows: `make bench`. Nothing here decides a test."""
