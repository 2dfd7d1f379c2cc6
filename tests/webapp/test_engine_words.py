"""What the engine says is read in the reader's language, wherever it is shown."""

import zipfile
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from ml.commands.inspect import preview
from ml.config.flow import DIS, FlowSpec
from ml.errors import BadVideo, UserError
from ml.events import Event, Failed, Progress, Result, parse
from ml.failure import failure
from ml.video.layouts import recognise
from ml.video.sources import Source, open_sources
from ml.words import Words
from tests.webapp.factories import make_job
from webapp.datasets.models import Dataset, FlowCache, Import, Video
from webapp.datasets.services.flow import request_flow
from webapp.datasets.services.imports import start_import
from webapp.jobs import failures
from webapp.jobs.models import Job
from webapp.jobs.services import open_job, submit_in_parts
from webapp.words import read, translated

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("chinese")]

NAME = "<{path}>.avi"
"""As a user may call a file: with braces, and what HTML takes for a tag."""


def page(client: Client, address: str) -> str:
    return client.get(address, headers={"Accept-Language": "zh-hans"}).content.decode()


def told(event: Event) -> Event:
    """The event as the worker gets it."""
    return parse(event.json_line())


def failed(error: Exception) -> Failed:
    event = told(failure(error)[0])
    assert isinstance(event, Failed)
    return event


def inspected(path: Path) -> Result:
    sources = [Source(path, path.name)]
    with open_sources(sources) as members:
        found = told(Result(preview(recognise(members), sources, 0.3, 0)))
    assert isinstance(found, Result)
    return found


def test_a_failed_job_says_in_chinese_what_happened_to_what(as_ada: Client, ada: User) -> None:
    error = BadVideo("{name}: {problem}", name=NAME, problem=BadVideo("No frame could be read").message)
    job = make_job(Job.Kind.PREDICT, ada, state=Job.State.FAILED, failure=failures.card(failed(error)))
    for address in (f"/jobs/{job.pk}/", "/jobs/", "/"):
        assert "&lt;{path}&gt;.avi: 没有一帧可以读取" in page(as_ada, address), address
    assert Job.objects.get().failure["message"] == f"{NAME}: No frame could be read", "English for whoever reads the row"


def test_a_missing_path_is_told_with_the_systems_reason(as_ada: Client, ada: User, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as raised:
        (tmp_path / "gone").read_bytes()
    job = make_job(Job.Kind.TRAIN, ada, state=Job.State.FAILED, failure=failures.card(failed(raised.value)))
    assert f"没有该文件或文件夹: {tmp_path}/gone" in page(as_ada, f"/jobs/{job.pk}/")


def test_the_preview_of_a_bad_zip_says_in_chinese_what_stays_out(as_ada: Client, ada: User, tmp_path: Path) -> None:
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {"run/a.avi": b"x", "run/empty.avi": b"", "walk/readme.pdf": b"x", "../out.avi": b"x"}.items():
            archive.writestr(name, content)
    import_ = looked_at(ada, path)
    Import.objects.update(preview=inspected(path).data)
    text = page(as_ada, reverse("datasets:import_detail", args=(import_.pk,)))
    for words in ("文件为空（0 字节）", "它不是视频", "文件名指向压缩包之外", "只有一个类别 run：训练至少需要两个类别"):
        assert words in text, words


def test_what_is_no_zip_at_all_fails_in_chinese(as_ada: Client, ada: User, tmp_path: Path) -> None:
    path = tmp_path / "not.zip"
    path.write_bytes(b"nothing")
    with pytest.raises(UserError) as raised:
        inspected(path)
    import_ = looked_at(ada, path)
    Job.objects.update(state=Job.State.FAILED, failure=failures.card(failed(raised.value)))
    assert "not.zip 名为 zip，但并不是" in page(as_ada, reverse("datasets:import_detail", args=(import_.pk,)))


def looked_at(user: User, path: Path) -> Import:
    import_ = start_import(user, [], folder=path.parent)
    Job.objects.update(state=Job.State.DONE)
    return import_


def test_the_report_of_an_import_names_a_broken_video_and_its_notes_in_chinese(
    as_ada: Client, ada: User, dataset: Dataset, tmp_path: Path
) -> None:
    import_ = looked_at(ada, tmp_path)
    Import.objects.update(dataset=dataset)
    error = BadVideo("Frames of {width}×{height} pixels are too large (limit {limit})", "Scale the video down.", width=9, height=8, limit=7)
    Video.objects.update(notes=[Words("cut off or damaged: {read} of {claimed} frames could be read", read=3, claimed=9)])
    Video.objects.create(dataset=dataset, key="x", path=NAME, status=Video.Status.REFUSED, reason=error.message, advice=error.advice)
    message = Words("{count} files have the same content: {paths}", count=2, paths="a, b")
    Dataset.objects.update(findings=[{"kind": "duplicate", "message": message}])
    text = page(as_ada, reverse("datasets:import_detail", args=(import_.pk,)))
    for words in ("9×8 像素的帧过大（上限 7）", "被截断或损坏：9 帧中读取到 3 帧", "2 个文件内容相同：a, b"):
        assert words in text, words


def test_titles_of_jobs_are_read_in_each_readers_language(as_ada: Client, ada: User, dataset: Dataset) -> None:
    Dataset.objects.update(name="Train {dataset}")
    dataset.refresh_from_db()
    _cache, job = request_flow(dataset, FlowSpec(method=DIS()), ada)
    assert job is not None
    assert "Train {dataset} 的 DIS 光流" in page(as_ada, "/jobs/")
    submit_in_parts(job, FlowCache.objects.get().pk, 2, 10, "pairs")
    address = f"/jobs/{job.parts.earliest('pk').pk}/"
    assert "Train {dataset} 的 DIS 光流 · 1/2" in page(as_ada, address)
    assert "DIS flow of Train {dataset} · 1/2" in as_ada.get(address, headers={"Accept-Language": "en"}).content.decode()


@pytest.mark.parametrize("name", ["Train", "{dataset}", '{"text": "x"', '{"text": "x", "template": "x", "values": {"a": "b"}}'])
def test_a_title_that_is_a_name_stays_as_it_was_typed(ada: User, name: str) -> None:
    open_job(Job.Kind.TRAIN, name, ada)
    job = Job.objects.get()
    with override("zh-hans"):
        assert job.shown_title == name and str(job) == f"训练: {name}"


def test_a_title_is_kept_as_it_was_said_however_often_it_is_saved(ada: User) -> None:
    title = Words("{method} flow of {dataset}", method="DIS", dataset="moves")
    job = make_job(Job.Kind.FLOW, ada)
    Job.objects.filter(pk=job.pk).update(title=title)
    for _ in range(2):
        job.refresh_from_db()
        assert isinstance(job.title, Words) and (job.title.template, job.title.values) == (title.template, title.values)
        job.save()


def test_a_job_that_fails_with_another_names_it_in_the_readers_language(as_ada: Client, ada: User) -> None:
    title = Words("{method} flow of {dataset}", method="DIS", dataset="moves")
    lost = make_job(Job.Kind.FLOW, ada, state=Job.State.FAILED)
    Job.objects.filter(pk=lost.pk).update(title=title)
    lost.refresh_from_db()
    job = make_job(Job.Kind.TRAIN, ada, state=Job.State.FAILED, failure=failures.dependency(lost))
    assert "提取光流: moves 的 DIS 光流" in page(as_ada, f"/jobs/{job.pk}/")


def test_progress_counts_epochs_in_chinese(as_ada: Client, ada: User) -> None:
    event = told(Progress(3, 10, "steps", Words("epoch {number} of {total}", number=2, total=5)))
    assert isinstance(event, Progress)
    make_job(Job.Kind.TRAIN, ada, state=Job.State.RUNNING, message=event.message, progress_done=3, progress_total=10)
    assert "第 2 轮，共 5 轮" in page(as_ada, "/jobs/")


def test_what_was_stored_before_words_were_is_read_as_it_was() -> None:
    with override("zh-hans"):
        assert translated("Clip.avi: broken") == "Clip.avi: broken" and translated("Scale the video down.") != "Scale the video down."
        assert translated("") == ""
    assert read("plain") == "plain"
