"""Use cases of schedules: making, changing and listing them; what happens when one is due."""
