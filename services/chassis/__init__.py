"""The microservice chassis: settings, database, bus, passports and logs. It knows nothing of the domain."""
