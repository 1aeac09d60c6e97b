"""The metadata that all tables of contacts' database are declared in."""

from sqlalchemy import MetaData

metadata = MetaData()
