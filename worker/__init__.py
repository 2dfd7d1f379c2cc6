"""The driver: Celery tasks that claim a job's row, start an ml process and record its events."""
