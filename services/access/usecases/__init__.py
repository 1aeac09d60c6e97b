"""What access does: one function per intention."""
