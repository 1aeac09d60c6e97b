"""What retention does: one function per intention."""
