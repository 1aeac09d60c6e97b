"""The transactional outbox: rows of a transaction, and the relay that publishes them."""
