"""The rules: who may do what, which moments count, how a request moves, what is removed from text."""
