"""Use cases of write-backs: asking for one, looking at it, and the job that makes it."""
