"""`python -m tests.faults.claim_race START_TIME JOB_ID…`: claim every job as soon as the clock says so; print the ids that were won."""

import os
import sys
import time

import django

if __name__ == "__main__":
    django.setup()

    from webapp.jobs.models import Job
    from webapp.jobs.services import claim

    start, *job_ids = sys.argv[1:]
    Job.objects.exists()  # connected before the race begins
    time.sleep(max(0.0, float(start) - time.time()))
    print(*(job_id for job_id in job_ids if claim(int(job_id), f"racer-{os.getpid()}")))
