"""Use cases of counties: onboarding, configuration, schedules, members and delivered files."""
