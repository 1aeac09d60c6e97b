"""What a demonstration begins with: accounts of invented employees, and invented stakeholders beside public offices."""
