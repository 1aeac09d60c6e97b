"""The five services, their chassis and the lexicon that they share."""
