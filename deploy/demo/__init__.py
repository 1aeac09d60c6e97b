"""Demonstration data: accounts of invented employees, and invented stakeholders and public offices."""
