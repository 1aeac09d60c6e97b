"""Importing files: uploading and staging, choosing what columns are, checking, committing, undoing (R77-R82, N16)."""
