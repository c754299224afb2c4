"""Schedules of jobs: reports, exports and studies that are made again and again."""
