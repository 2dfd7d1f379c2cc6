"""Optical flow on the site: asking for it in as many parts as it deserves, what it takes, and taking it away."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from ml.config.availability import RAFT_WEIGHTS, weights_file
from ml.config.flow import DIS, Farneback, FlowSpec
from ml.config.room import flow_bytes
from ml.errors import DiskFull
from tests.webapp.factories import make_dataset, make_evaluation, make_run, make_user, share
from webapp.datasets.models import Dataset, FlowCache, Video
from webapp.datasets.selectors.estimate import expected_bytes, flow_estimates
from webapp.datasets.selectors.flow import flow_rows
from webapp.datasets.services import flow as flow_services
from webapp.datasets.services.flow import FlowInUse, delete_flow, is_complete, request_flow
from webapp.experiments.preflight import preflight
from webapp.jobs.models import Job, WorkerNode

pytestmark = pytest.mark.django_db


def cache_of(dataset: Dataset, spec: FlowSpec, **fields: object) -> FlowCache:
    return FlowCache.objects.create(dataset=dataset, spec_id=spec.spec_id(), spec=spec.model_dump(mode="json"), **fields)


def with_files(cache: FlowCache) -> list[Path]:
    """A pack of 100 bytes and a preview of 10 for each video."""
    paths = []
    for video in cache.dataset.videos.all():
        for path, size in ((cache.pack(video.media), 100), (cache.preview(video.media), 10)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes(size))
            paths.append(path)
    return paths


def test_flow_asked_for_twice_is_one_cache_and_one_job(ada: User, dataset: Dataset) -> None:
    first, again = (request_flow(dataset, FlowSpec(method=DIS()), ada) for _ in range(2))
    assert first == again
    assert Job.objects.filter(kind=Job.Kind.FLOW).count() == 1


def test_flow_that_failed_goes_on_in_the_same_job(ada: User, dataset: Dataset) -> None:
    _cache, job = request_flow(dataset, FlowSpec(), ada)
    assert job is not None
    Job.objects.filter(pk=job.pk).update(state=Job.State.FAILED)
    _cache, again = request_flow(dataset, FlowSpec(), ada)
    assert again is not None and again.pk == job.pk and again.state == Job.State.QUEUED


def test_complete_flow_needs_no_job(ada: User, dataset: Dataset) -> None:
    cache, _job = request_flow(dataset, FlowSpec(), ada)
    Job.objects.all().update(state=Job.State.DONE)
    FlowCache.objects.filter(pk=cache.pk).update(videos_done=11, videos_failed=[{"video": "v00001", "reason": "one frame"}])
    found, job = request_flow(dataset, FlowSpec(), ada)
    assert found == cache and job is None and is_complete(found)


def test_the_flow_form_starts_the_job_and_refuses_values_out_of_range(as_ada: Client, dataset: Dataset) -> None:
    address = reverse("datasets:flow_new", args=(dataset.pk,))
    page = as_ada.get(address)
    assert "TV-L1" in page.content.decode()
    initial = {name: value for name, value in page.context["form"].initial.items() if value is not None}
    assert as_ada.post(address, {**initial, "quality": 1000}).status_code == 400
    assert not FlowCache.objects.exists()
    assert as_ada.post(address, initial).status_code == 302
    assert FlowCache.objects.get().spec_id == FlowSpec(method=Farneback()).spec_id()


def test_the_flow_part_of_the_page_asks_again_only_while_a_job_is_open(as_ada: Client, ada: User, dataset: Dataset) -> None:
    request_flow(dataset, FlowSpec(), ada)
    address = reverse("datasets:dataset_detail", args=(dataset.pk,))
    assert "hx-trigger" in as_ada.get(address, headers={"HX-Request": "true"}).content.decode()
    Job.objects.all().update(state=Job.State.DONE)
    assert "hx-trigger" not in as_ada.get(address, headers={"HX-Request": "true"}).content.decode()


def test_the_flow_shown_beside_a_video_is_chosen_among_those_that_are_there(as_ada: Client, dataset: Dataset) -> None:
    video, specs = dataset.videos.all()[0], (FlowSpec(method=DIS()), FlowSpec(), FlowSpec(quality=80))
    caches = [cache_of(dataset, spec) for spec in specs]
    for cache in caches[:2]:
        with_files(cache)
    address = reverse("datasets:video_detail", args=(video.pk,))
    assert [row.cache for row in as_ada.get(address).context["flow_choices"]] == [caches[1], caches[0]]
    for wanted, shown in ((caches[0].pk, caches[0]), (caches[2].pk, caches[1]), ("nonsense", caches[1])):
        assert as_ada.get(f"{address}?flow={wanted}").context["flow"] == shown


def test_caches_that_differ_by_their_bound_read_differently(ada: User, dataset: Dataset) -> None:
    for bound in (10, 20):
        cache_of(dataset, FlowSpec(method=DIS(), encoding="bound", bound=bound))
    cache_of(dataset, FlowSpec(method=DIS()))
    assert [row.parameters for row in flow_rows(dataset, ada)] == [
        "Preset: Medium, Encoding: Each field's own range, JPEG quality: 95",
        "Preset: Medium, Encoding: One fixed bound, Bound: 20.0, JPEG quality: 95",
        "Preset: Medium, Encoding: One fixed bound, Bound: 10.0, JPEG quality: 95",
    ]


def test_the_estimate_counts_frames_at_their_stored_size_and_the_chosen_quality(ada: User) -> None:
    dataset = make_dataset(ada, classes=("a",), videos_per_class=2)
    Video.objects.filter(dataset=dataset).update(frames=100, width=640, height=512)  # stored with a short side of 256: 320 × 256
    for spec in (FlowSpec(), FlowSpec(quality=80, encoding="bound")):
        assert expected_bytes(dataset, spec) == flow_bytes(spec, 2 * 100 * 320 * 256)
    assert flow_bytes(FlowSpec(), 1e6) == round(1e6 * (0.214 + 0.016))
    assert flow_bytes(FlowSpec(quality=92), 1e6) == pytest.approx(1e6 * (0.139 + 0.4 * 0.075 + 0.016), rel=1e-6)
    assert [row.time for row in flow_estimates(dataset)] == sorted(row.time for row in flow_estimates(dataset))
    assert expected_bytes(make_dataset(ada, classes=(), name="empty"), FlowSpec()) == 0


def test_flow_that_cannot_fit_is_refused_on_the_form_with_both_sizes(
    as_ada: Client, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = expected_bytes(dataset, FlowSpec()) - 1
    monkeypatch.setattr(flow_services, "disk", lambda: SimpleNamespace(free=free))
    address = reverse("datasets:flow_new", args=(dataset.pk,))
    initial = {name: value for name, value in as_ada.get(address).context["form"].initial.items() if value is not None}
    page = as_ada.post(address, initial)
    assert page.status_code == 400 and "are free on the disk" in page.content.decode()
    assert not FlowCache.objects.exists() and not Job.objects.exists()
    assert as_ada.post(address, {**initial, "quality": 75}).status_code == 302
    with pytest.raises(DiskFull):
        request_flow(dataset, FlowSpec(), dataset.owner)


def test_much_work_is_one_job_in_parts_that_count_as_one(as_ada: Client, ada: User, dataset: Dataset) -> None:
    Video.objects.filter(dataset=dataset).update(frames=2501)
    _cache, job = request_flow(dataset, FlowSpec(), ada)
    assert job is not None and job.parts.count() == 3  # 12 videos of 2,500 pairs, 10,000 a part
    job.refresh_from_db()
    assert (job.state, job.progress_total, job.progress_unit) == (Job.State.WAITING, 30_000, "pairs")
    assert request_flow(dataset, FlowSpec(), ada)[1] == job
    assert [row.job for row in flow_rows(dataset, ada)] == [job]
    assert [row.job for row in as_ada.get(reverse("jobs:job_list")).context["rows"]] == [job]
    assert list(as_ada.get(reverse("home")).context["open_jobs"]) == [job]
    assert "3/3" in as_ada.get(reverse("jobs:job_detail", args=(job.pk,))).content.decode()


def test_there_are_no_more_parts_than_contents(ada: User) -> None:
    dataset = make_dataset(ada, classes=("a", "b"), videos_per_class=1)
    Video.objects.filter(dataset=dataset).update(frames=10**6)
    _cache, job = request_flow(dataset, FlowSpec(), ada)
    assert job is not None and job.parts.count() == 2


def test_an_extraction_that_runs_in_parts_shows_their_throughput_and_can_be_cancelled(as_ada: Client, ada: User, dataset: Dataset) -> None:
    Video.objects.filter(dataset=dataset).update(frames=2501)
    _cache, job = request_flow(dataset, FlowSpec(), ada)
    assert job is not None
    at_work = {"state": Job.State.RUNNING, "progress_done": 1000, "progress_total": 10_000}
    Job.objects.filter(parent=job).update(**at_work)
    Job.objects.filter(pk=job.pk).update(progress_done=3000)
    Job.objects.update(started_at=job.created_at - job.created_at.resolution * 100_000_000)
    page = as_ada.get(reverse("datasets:dataset_detail", args=(dataset.pk,)), headers={"HX-Request": "true"}).content.decode()
    assert "badge-running" in page and "pairs/s" in page and "left" in page
    as_ada.post(reverse("jobs:job_cancel", args=(job.pk,)))
    job.refresh_from_db()
    assert job.state == Job.State.CANCELLED and all(part.cancel_requested for part in job.parts.all())


def test_deleting_flow_frees_its_files(
    ada: User, dataset: Dataset, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    cache = cache_of(dataset, FlowSpec())
    paths = with_files(cache)
    with django_capture_on_commit_callbacks(execute=True):
        delete_flow(cache)
    assert not any(path.exists() for path in paths) and not FlowCache.objects.exists()


def test_deleting_is_refused_while_a_job_needs_this_flow_and_the_job_is_named(ada: User, dataset: Dataset) -> None:
    run = make_run(dataset, "flow", state=Job.State.QUEUED)
    cache = cache_of(dataset, run.experiment.data.input.flow)  # type: ignore[union-attr]
    with pytest.raises(FlowInUse, match=r"train job.*Queued"):
        delete_flow(cache)
    Job.objects.update(state=Job.State.DONE)
    evaluation = make_evaluation(run, state=Job.State.RUNNING)
    with pytest.raises(FlowInUse, match=r"evaluate job.*Running"):
        delete_flow(cache)
    Job.objects.filter(pk=evaluation.job.pk).update(state=Job.State.DONE)
    _cache, job = request_flow(dataset, FlowSpec(method=DIS()), ada)
    delete_flow(cache)  # another spec is extracted, and RGB is trained
    assert job is not None
    with pytest.raises(FlowInUse, match="DIS flow"):
        delete_flow(FlowCache.objects.get())


def test_flow_of_other_specs_and_rgb_runs_hold_nothing_back(dataset: Dataset) -> None:
    make_run(dataset, "rgb", state=Job.State.RUNNING)
    make_run(dataset, "flow", state=Job.State.RUNNING)
    delete_flow(cache_of(dataset, FlowSpec(quality=80)))


def test_what_datasets_share_stays_and_is_said_to(
    as_ada: Client, ada: User, dataset: Dataset, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    other, hidden = make_dataset(ada, name="the other one"), make_dataset(make_user("eve"), name="eve's own")
    for twin in (other, hidden):
        for mine, theirs in zip(dataset.videos.all()[:3], twin.videos.all()[:3], strict=True):
            Video.objects.filter(pk=theirs.pk).update(media=mine.media)
    caches = [cache_of(one, FlowSpec(), bytes=12 * 110) for one in (dataset, other, hidden)]
    paths = with_files(caches[0])
    (row,) = flow_rows(dataset, ada)
    assert row.freed == 9 * 110
    assert row.shared_with == ("the other one", "a dataset of somebody else")
    assert "Also used by the other one" in as_ada.get(reverse("datasets:dataset_detail", args=(dataset.pk,))).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        delete_flow(caches[0])
    assert [path.exists() for path in paths] == [True] * 6 + [False] * 18


def test_frames_that_are_stored_otherwise_make_other_files_and_nothing_is_shared(ada: User, dataset: Dataset) -> None:
    other = make_dataset(ada, name="smaller")
    Dataset.objects.filter(pk=other.pk).update(frame_spec={**other.frame_spec, "short_side": 96})
    Video.objects.filter(dataset=other, key="v00000").update(media=dataset.videos.all()[0].media)
    for one in (dataset, other):
        cache_of(one, FlowSpec(), bytes=7)
    (row,) = flow_rows(dataset, ada)
    assert (row.shared_with, row.freed) == ((), 7)


def test_the_rows_of_flow_take_a_fixed_number_of_queries(
    ada: User, dataset: Dataset, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    Video.objects.filter(dataset=dataset).update(frames=2501)
    for quality in (60, 70):
        request_flow(dataset, FlowSpec(quality=quality), ada)
    with django_assert_num_queries(4):
        assert all(row.job and row.job.pace == 0 for row in flow_rows(dataset, ada))


def test_a_viewer_sees_flow_and_may_neither_cancel_nor_delete_it(client: Client, ada: User, dataset: Dataset) -> None:
    eve = make_user("eve")
    share(dataset, eve)
    client.force_login(eve)
    request_flow(dataset, FlowSpec(), ada)
    page = client.get(reverse("datasets:dataset_detail", args=(dataset.pk,)), headers={"HX-Request": "true"}).content.decode()
    assert "TV-L1" in page and "Cancel" not in page and "Delete" not in page


def test_a_method_that_this_machine_cannot_run_is_shown_with_the_reason(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    user = make_user()
    client.force_login(user)
    address = reverse("datasets:flow_new", args=[make_dataset(user).pk])
    page = client.get(address).content.decode()
    assert "RAFT cannot run on this machine." in page and f"are not in {tmp_path}" in page
    weights = weights_file(RAFT_WEIGHTS["large"])
    weights.parent.mkdir(parents=True)
    weights.touch()
    assert "cannot run" not in client.get(address).content.decode()


def test_flow_on_torch_goes_to_a_worker_with_a_gpu_and_opencvs_stays_on_the_cpu(ada: User, dataset: Dataset) -> None:
    WorkerNode.objects.create(name="gpu@far", queues=["gpu"])
    queues = [job.queue for spec in (FlowSpec(), FlowSpec(method=DIS())) if (job := request_flow(dataset, spec, ada)[1]) is not None]
    assert queues == ["gpu", "cpu"]


def test_a_run_that_asks_for_other_flow_than_there_is_sees_both_side_by_side(as_ada: Client, dataset: Dataset) -> None:
    run = make_run(dataset, "flow")
    asked = run.experiment.data.input.flow  # type: ignore[union-attr]
    cache_of(dataset, FlowSpec(method=DIS(), quality=70), videos_done=12)
    cache_of(dataset, asked.replace(quality=80), videos_done=12)
    cache_of(dataset, asked.replace(quality=81))  # not extracted
    (finding,) = (one for one in preflight(run.split, run.experiment) if one.differences)
    assert [(str(one.row.title), one.values) for one in finding.differences] == [("JPEG quality", (95, 80))]
    page = as_ada.get(f"{reverse('experiments:new_run')}?clone={run.pk}")
    initial = {name: value for part in ("launch", "form") for name, value in page.context[part].initial.items() if value is not None}
    html = as_ada.post(page.wsgi_request.get_full_path(), {**initial, "split": run.split.pk, "action": "check"}).content.decode()
    assert "Asked for" in html and "<td>95 </td><td>80 </td>" in html


def test_videos_that_came_after_the_extraction_are_told_and_can_be_extracted(as_ada: Client, ada: User, dataset: Dataset) -> None:
    cache, job = request_flow(dataset, FlowSpec(), ada)
    assert job is not None
    Job.objects.update(state=Job.State.DONE)
    FlowCache.objects.update(videos_done=11)
    page = as_ada.get(reverse("datasets:dataset_detail", args=(dataset.pk,))).content.decode()
    assert "1 video is without this flow." in page and "Extract the rest" in page
    as_ada.post(reverse("datasets:flow_complete", args=(cache.pk,)))
    assert Job.objects.filter(kind=Job.Kind.FLOW, subject_id=cache.pk, state=Job.State.QUEUED).count() == 1
    FlowCache.objects.update(videos_done=12)
    Job.objects.update(state=Job.State.DONE)
    assert "Extract the rest" not in as_ada.get(reverse("datasets:dataset_detail", args=(dataset.pk,))).content.decode()


def test_a_video_whose_flow_is_on_its_way_offers_no_second_extraction(as_ada: Client, ada: User, dataset: Dataset) -> None:
    address = reverse("datasets:video_detail", args=(dataset.videos.all()[0].pk,))
    assert "Extract flow" in as_ada.get(address).content.decode()
    request_flow(dataset, FlowSpec(), ada)
    page = as_ada.get(address).content.decode()
    assert "It is being extracted" in page and "Extract flow" not in page
