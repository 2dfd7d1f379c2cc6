"""Jobs in a real browser: what cannot be taken back is asked about first."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.webapp.factories import make_job
from webapp.jobs.models import Job

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_running_job_is_cancelled_after_a_question_that_escape_answers_with_no(signed_in: Page, live_server: LiveServer) -> None:
    job = make_job(Job.Kind.TRAIN, User.objects.get(username="ada"), state=Job.State.RUNNING)
    signed_in.goto(f"{live_server.url}/jobs/{job.pk}/")
    cancel, dialog = signed_in.get_by_role("button", name="Cancel"), signed_in.get_by_role("dialog")
    cancel.click()
    expect(dialog).to_contain_text("what was trained since the last checkpoint is lost")
    expect(dialog.get_by_role("button", name="Keep running")).to_be_focused()
    signed_in.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    job.refresh_from_db()
    assert not job.cancel_requested

    cancel.click()
    with signed_in.expect_response(f"**/jobs/{job.pk}/"):
        pass  # the page asks for itself again meanwhile
    dialog.get_by_role("button", name="Cancel the run").click()
    expect(signed_in.get_by_text("Cancelling", exact=True)).to_be_visible()
    job.refresh_from_db()
    assert job.cancel_requested
