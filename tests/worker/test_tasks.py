"""Each kind of job through a real ml process: what it writes into the tables."""

import zipfile
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import TestCase

from tests.media import draw_video
from tests.webapp.factories import make_dataset, make_evaluation, make_fusion, make_job, make_prediction, make_run, make_upload, make_user
from webapp import queue
from webapp.datasets.models import Dataset, Import, SplitEntry, Upload, Video
from webapp.datasets.selectors import own_uploads
from webapp.datasets.services.imports import free_uploads
from webapp.jobs import services
from webapp.jobs.models import Job
from webapp.predictions.services import send_to_dataset
from worker.run import run_job
from worker.tasks.predict import PredictTask

State = Job.State
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "send", lambda job: True)


@pytest.fixture
def user() -> User:
    return make_user()


def upload(user: User, file: Path) -> Upload:
    """The file as the site keeps it: under its id."""
    row = Upload.objects.create(user=user, name=file.name, size=file.stat().st_size, received=file.stat().st_size)
    row.path.parent.mkdir(parents=True, exist_ok=True)
    file.replace(row.path)
    return row


def zipped(folder: Path, labels: tuple[str, ...], seed: int, name: str = "moves.zip") -> Path:
    """Two videos a label and one that is none."""
    with zipfile.ZipFile(folder / name, "w") as archive:
        for number, label in enumerate(labels):
            for take in range(2):
                video = draw_video(folder / "v.mp4", seed=seed + 2 * number + take)
                archive.write(video, f"{label}/clip{take}.mp4")
        archive.writestr(f"{labels[0]}/broken.mp4", b"no video")
    return folder / name


def run(kind: str, user: User, subject_id: int) -> Job:
    """Submit a job and run it here; afterwards it is as the worker left it."""
    job = services.open_job(kind, kind, user)
    services.submit(job, subject_id)
    run_job.apply(args=(job.pk,), throw=True)
    job.refresh_from_db()
    return job


def imported(user: User, file: Path, **fields: object) -> Import:
    source = Import.objects.create(user=user, options={"name": "Moves", "test_fraction": 0.5, "seed": 1}, **fields)
    source.uploads.add(upload(user, file))
    return source


def test_an_inspection_becomes_the_preview(user: User, tmp_path: Path) -> None:
    source = imported(user, zipped(tmp_path, ("jump", "wave"), seed=0))
    job = run("inspect", user, source.pk)
    source.refresh_from_db()
    assert (job.state, job.failure) == (State.DONE, {})
    assert {entry["name"] for entry in source.preview["classes"]} == {"jump", "wave"}


def test_an_import_becomes_a_dataset_and_a_second_one_joins_it(user: User, tmp_path: Path) -> None:
    source = imported(user, zipped(tmp_path, ("jump", "wave"), seed=10))
    job = run("ingest", user, source.pk)
    assert (job.state, job.failure) == (State.DONE, {})
    dataset = Dataset.objects.get()
    assert (dataset.name, dataset.owner, job.dataset) == ("Moves", user, dataset)
    assert list(dataset.labels.values_list("name", flat=True)) == ["jump", "wave"]
    assert dataset.videos.filter(status=Video.Status.OK).count() == 4
    assert dataset.videos.get(status=Video.Status.REFUSED).reason
    assert SplitEntry.objects.filter(split__dataset=dataset).count() == 4

    more = imported(user, zipped(tmp_path, ("wave", "turn"), seed=20, name="more.zip"), dataset=dataset)
    assert run("ingest", user, more.pk).state == State.DONE
    assert list(dataset.labels.values_list("index", "name")) == [(0, "jump"), (1, "wave"), (2, "turn")]
    assert dataset.videos.filter(status=Video.Status.OK).count() == 8
    assert SplitEntry.objects.filter(split__dataset=dataset).count() == 8


def test_a_sent_prediction_knows_its_video_which_has_the_name_of_the_users_file(user: User, tmp_path: Path) -> None:
    run("ingest", user, imported(user, zipped(tmp_path, ("jump", "wave"), seed=50)).pk)
    dataset = Dataset.objects.get()
    prediction = make_prediction(user, make_run(dataset), confirmed_label=dataset.labels.get(name="wave"))
    prediction.upload = upload(user, draw_video(tmp_path / "挥手.mp4", seed=60))
    prediction.save()
    run_job.apply(args=(send_to_dataset(prediction, user).pk,), throw=True)
    prediction.refresh_from_db()
    assert prediction.sent_as is not None
    assert (prediction.sent_as.path, str(prediction.sent_as.label)) == ("挥手.mp4", "wave")
    dataset.refresh_from_db()
    assert dataset.findings == []  # one video more of one class is no dataset of one class


def test_a_sent_prediction_joins_the_side_on_which_its_recording_stands(user: User, tmp_path: Path) -> None:
    run("ingest", user, imported(user, zipped(tmp_path, ("jump", "wave"), seed=80)).pk)
    dataset = Dataset.objects.get()
    tested = SplitEntry.objects.filter(subset="test").select_related("video")[0].video
    Video.objects.filter(pk=tested.pk).update(group="yard")
    prediction = make_prediction(user, make_run(dataset), confirmed_label=tested.label)
    prediction.upload = upload(user, draw_video(tmp_path / "later.mp4", seed=90))
    prediction.save()
    run_job.apply(args=(send_to_dataset(prediction, user, "yard").pk,), throw=True)
    joined = SplitEntry.objects.get(video__path="later.mp4")
    assert (joined.video.group, joined.subset) == ("yard", "test")


def test_what_joins_a_dataset_that_has_its_content_is_found_to_be_a_duplicate(user: User, tmp_path: Path) -> None:
    for seed, label in ((70, "jump"), (70, "wave")):  # "wave" first shows what "jump" does
        run("ingest", user, imported(user, zipped(tmp_path, (label,), seed=seed), dataset=Dataset.objects.first()).pk)
    (finding,) = [one for one in Dataset.objects.get().findings if one["kind"] == "duplicate"][:1]
    assert finding["message"] == "2 files have the same content: jump/clip0.mp4, wave/clip0.mp4"


def test_a_finished_import_frees_its_upload_and_a_failed_one_keeps_it_for_the_retry(user: User, tmp_path: Path) -> None:
    (tmp_path / "bad.zip").write_bytes(b"not a zip")
    failed = imported(user, tmp_path / "bad.zip")
    job = run("ingest", user, failed.pk)
    kept = failed.uploads.get()
    assert (job.state, kept.path.exists(), kept.is_complete) == (State.FAILED, True, True)
    zipped(tmp_path, ("jump",), seed=40, name="good.zip").replace(kept.path)
    Upload.objects.update(name="good.zip")

    services.restart(job)
    with TestCase.captureOnCommitCallbacks(execute=True):
        run_job.apply(args=(job.pk,), throw=True)
    job.refresh_from_db()
    kept.refresh_from_db()
    assert (job.state, kept.name, kept.path.exists()) == (State.DONE, "good.zip", False)
    assert (kept.freed_at is not None, kept.is_complete) == (True, False)
    assert not own_uploads(user).exists()


def test_bytes_that_a_prediction_or_an_unfinished_import_needs_stay(user: User, tmp_path: Path) -> None:
    finished, other = Import.objects.create(user=user), Import.objects.create(user=user)
    predicted = make_prediction(user, make_run(make_dataset(user))).upload
    both, mine = make_upload(user, "both.zip"), make_upload(user, "mine.zip")
    finished.uploads.set([predicted, both, mine])
    other.uploads.set([both])
    with TestCase.captureOnCommitCallbacks(execute=True):
        free_uploads(finished)
    assert [one.path.exists() for one in (predicted, both, mine)] == [True, True, False]
    Job.objects.filter(pk=make_job("ingest", user).pk).update(subject_id=finished.pk)
    with TestCase.captureOnCommitCallbacks(execute=True):
        free_uploads(other)
    assert [one.path.exists() for one in (predicted, both, mine)] == [True, False, False]


def test_a_prediction_names_the_runs_of_its_fusion_where_they_lie_now(user: User) -> None:
    dataset = make_dataset(user)
    runs = [make_run(dataset, modality) for modality in ("flow", "rgb")]
    fused, alone = make_fusion([make_evaluation(run) for run in runs]), runs[0]
    by_fusion = PredictTask(Job.objects.get(pk=make_prediction(user, fused).job_id)).command()
    assert by_fusion[1] == str(fused.evaluation.folder / "scores.npz")
    assert by_fusion[3:6] == ["--runs", *(str(run.folder) for run in runs)]
    by_run = PredictTask(Job.objects.get(pk=make_prediction(user, alone).job_id)).command()
    assert by_run[1] == str(alone.folder)
    assert "--runs" not in by_run and by_run[2].endswith("::clip.mp4")


def test_an_answer_calls_its_streams_by_the_names_of_their_runs(user: User) -> None:
    dataset = make_dataset(user)
    runs = [make_run(dataset, modality) for modality in ("flow", "rgb")]
    prediction = make_prediction(user, make_fusion([make_evaluation(run) for run in runs]))
    said = [{"name": str(run.pk), "modality": modality, "top": []} for run, modality in zip(runs, ("flow", "rgb"), strict=True)]
    PredictTask(Job.objects.get(pk=prediction.job_id)).on_finished({}, {"top": [["clap", 1.0]], "streams": said})
    prediction.refresh_from_db()
    assert [stream["name"] for stream in prediction.result["streams"]] == [run.name for run in runs]


def test_an_upload_that_was_cut_fails_with_its_name_and_the_next_step(user: User, tmp_path: Path) -> None:
    source = imported(user, zipped(tmp_path, ("jump",), seed=30))
    Upload.objects.update(received=3)
    job = run("inspect", user, source.pk)
    assert job.state == State.FAILED
    assert "moves.zip" in job.failure["message"]
    assert job.failure["advice"]


def test_what_is_no_archive_fails_with_the_words_of_the_engine(user: User, tmp_path: Path) -> None:
    (tmp_path / "moves.zip").write_bytes(b"not a zip")
    job = run("inspect", user, imported(user, tmp_path / "moves.zip").pk)
    assert job.state == State.FAILED
    assert "moves.zip" in job.failure["message"]


def test_a_folder_outside_the_import_roots_is_refused(user: User) -> None:
    source = Import.objects.create(user=user, folder="/etc")
    job = run("inspect", user, source.pk)
    assert job.state == State.FAILED
    assert job.failure["code"] == "MissingSource"
