"""`python -m tests.faults.claim_race JOB_ID…`: say “ready”, claim every job once stdin is closed, print the ids that were won."""

import os
import sys

import django

if __name__ == "__main__":
    django.setup()

    from webapp.jobs.models import Job
    from webapp.jobs.services import claim

    Job.objects.exists()  # connected before the race begins
    print("ready", flush=True)
    sys.stdin.read()
    print(*(job_id for job_id in sys.argv[1:] if claim(int(job_id), f"racer-{os.getpid()}")))
