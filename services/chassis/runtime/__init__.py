"""What a process is made of: composed from its settings, started, watched and stopped."""
