"""Everything that changes a job. Each change of state is one conditional update; nothing else writes states.

open ─► WAITING ─► QUEUED ─► RUNNING ─► DONE | FAILED | STOPPED | CANCELLED | INTERRUPTED
                      ▲                          └───────── restart ─────────┘    │
                      └───────────────────────── the sweeper, by itself ──────────┘
"""

from webapp.jobs.services.attempts import claim, finish, hand_back, heartbeat, record_device, record_progress
from webapp.jobs.services.following import release_followers
from webapp.jobs.services.moves import JobMoved, LeaseLost
from webapp.jobs.services.requests import acknowledge, acknowledge_all, cancel, open_job, request_stop, restart, submit, submit_in_parts
from webapp.jobs.services.sweeping import interrupt_expired, release_waiting, requeue_interrupted, send_again

__all__ = [
    "JobMoved",
    "LeaseLost",
    "acknowledge",
    "acknowledge_all",
    "cancel",
    "claim",
    "finish",
    "hand_back",
    "heartbeat",
    "interrupt_expired",
    "open_job",
    "record_device",
    "record_progress",
    "release_followers",
    "release_waiting",
    "request_stop",
    "requeue_interrupted",
    "restart",
    "send_again",
    "submit",
    "submit_in_parts",
]
