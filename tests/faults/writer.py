"""`python -m tests.faults.writer JOB_ID ROUNDS`: say “ready”; once stdin is closed, write what site and worker write during a job."""

import sys

import django

if __name__ == "__main__":
    django.setup()

    from ml.events import DeviceUse, StepsDone
    from webapp.experiments.models import Run
    from webapp.jobs import services
    from webapp.jobs.models import Job
    from worker.curve import Curve

    job_id, rounds = map(int, sys.argv[1:])
    curve = Curve(Run.objects.get(job=job_id))
    user = Job.objects.get(pk=job_id).user
    print("ready", flush=True)
    sys.stdin.read()
    lease = services.claim(job_id, "writer") or ""
    for number in range(1, rounds + 1):
        assert services.heartbeat(job_id, lease)
        services.record_progress(job_id, lease, number, rounds, "steps")
        services.record_device(job_id, lease, DeviceUse("cpu", 50.0, 2**20))
        curve.add(StepsDone(number, 1, {"cross_entropy": 1 / number}, 0.1, 9.0))
        curve.write()
        services.cancel(services.open_job("flow", "a visitor's", user))
    services.finish(job_id, lease, Job.State.DONE)
