"""What interactions promises to everyone else: announcements, answers, refusals and schemas."""
