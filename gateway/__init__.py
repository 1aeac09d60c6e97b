"""The gateway: answers HTTP requests by calling services on the bus; it stores no data.

It answers: `/api/v1` (JSON) and `/` (plain pages), for people with a session whose statements are acknowledged.
It asks access who is calling, hands the passport on, and turns refusals into problem documents.
"""

__version__ = "0.1.0"
