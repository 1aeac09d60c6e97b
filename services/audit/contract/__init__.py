"""The public contract of audit: its announcement, refusals, schemas and answers."""
