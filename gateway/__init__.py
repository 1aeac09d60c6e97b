"""The door: HTTP in, one message on the bus out; it owns no data and decides no right.

It answers: `/api/v1` (JSON) and `/` (plain pages), for people with a session whose statements are acknowledged.
It asks access who is calling, hands the passport on, and turns refusals into problem documents.
"""
