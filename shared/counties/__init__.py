"""A county's configuration: its sources, schedules, guards and roles, as its IT administrator writes them."""
