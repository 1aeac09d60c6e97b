"""The public contract of contacts: announcements, refusals, schemas of what it is given, and types of what it answers."""
