"""Users of counties: inviting and removing them, their roles, and who may sign in."""
