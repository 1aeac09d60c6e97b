"""One function per intention; what the service's methods call."""
