"""The transactional outbox: rows that are inserted with a change, and the relay that publishes them."""
