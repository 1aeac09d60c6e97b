"""What a process needs to run: settings, database, bus, passports, logs. It knows no word of the field."""
