"""Fusing streams: what fits, what is started, and who is right where."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from ml.config.evaluation import FusionConfig
from tests.webapp.factories import make_dataset, make_evaluation, make_fusion, make_run, make_user, share
from webapp import queue
from webapp.datasets.models import Dataset, Membership, Split, Video
from webapp.experiments.models import Evaluation, Fusion
from webapp.experiments.selectors.fusions import agreements, fusable_places, streams_of
from webapp.experiments.services.fusions import UnfitStreams, create_fusion
from webapp.jobs.models import Job

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Ids of the jobs for which a message went out."""
    ids: list[int] = []

    def send(job: Job) -> bool:
        ids.append(job.pk)
        return True

    monkeypatch.setattr(queue, "send", send)
    return ids


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def dataset(user: User) -> Dataset:
    """9 classes = 3 appearances × 3 motions; class index = 3 · appearance + motion; 4 test videos a class."""
    return make_dataset(user, [f"{a} {m}" for a in ("dots", "plain", "stripes") for m in ("left", "turn", "up")], videos_per_class=8)


def appearance_only(label: int, position: int) -> int:
    """Knows the appearance, guesses the motion: right on one video in three or so."""
    return 3 * (label // 3) + position % 3


def motion_only(label: int, position: int) -> int:
    return 3 * ((position + 1) % 3) + label % 3


@pytest.fixture
def streams(dataset: Dataset) -> list[Evaluation]:
    return [make_evaluation(make_run(dataset, "rgb"), appearance_only), make_evaluation(make_run(dataset, "flow"), motion_only)]


@pytest.fixture
def client(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_fusion_is_rows_and_a_queued_job(
    user: User, streams: list[Evaluation], sent: list[int], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        fusion = create_fusion(user, streams, FusionConfig(), "both")
    assert [member.evaluation for member in fusion.memberships.all()] == streams
    job = fusion.evaluation.job
    assert (job.kind, job.state, job.subject_id) == (Job.Kind.FUSE, Job.State.QUEUED, fusion.evaluation.pk)
    assert sent == [job.pk]


def test_a_fusion_waits_for_streams_that_are_not_scored_yet(user: User, dataset: Dataset, streams: list[Evaluation]) -> None:
    late = make_evaluation(make_run(dataset, "flow"), state=Job.State.RUNNING)
    fusion = create_fusion(user, [streams[0], late], FusionConfig(), "both")
    assert fusion.evaluation.job.state == Job.State.WAITING
    assert [job.pk for job in fusion.evaluation.job.after.all()] == [late.job_id]


def unfit(kind: str, dataset: Dataset, streams: list[Evaluation]) -> list[Evaluation]:
    rgb, flow = streams
    if kind == "one":
        return [rgb]
    if kind == "twice":
        return [rgb, rgb]
    if kind == "fusion":
        return [rgb, make_fusion(streams).evaluation]
    if kind == "subset":
        return [rgb, make_evaluation(make_run(dataset, "flow"), subset="train")]
    if kind == "labels":
        video = rgb.video_scores.order_by("video__path")[0].video
        Video.objects.filter(pk=video.pk).update(label=dataset.labels.get(index=8))
        return [rgb, make_evaluation(make_run(dataset, "flow"))]
    run = make_run(dataset, "flow")
    run.split = Split.objects.create(dataset=dataset, name="2", origin="generated")
    run.save()
    flow.run = run
    flow.save()
    return [rgb, flow]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("one", "at least two"),
        ("twice", "chosen twice"),
        ("fusion", "a fusion already"),
        ("subset", "different subsets"),
        ("split", "splits"),
        ("labels", r"1 video was given another class between these tests: dots left/v00001\.mp4\."),
    ],
)
def test_streams_that_do_not_fit_are_refused_with_what_to_do(
    kind: str, message: str, user: User, dataset: Dataset, streams: list[Evaluation]
) -> None:
    members = unfit(kind, dataset, streams)
    before = Fusion.objects.count()
    with pytest.raises(UnfitStreams, match=message) as refusal:
        create_fusion(user, members, FusionConfig(), "both")
    assert refusal.value.advice
    assert Fusion.objects.count() == before


@pytest.mark.parametrize("weights", [(), (1.0,), (1.0, 1.0, 1.0), (-1.0, 2.0), (0.0, 0.0)])
def test_a_weighted_sum_needs_one_usable_weight_a_stream(weights: tuple[float, ...], user: User, streams: list[Evaluation]) -> None:
    with pytest.raises(UnfitStreams, match="weight"):
        create_fusion(user, streams, FusionConfig(method="weighted", weights=weights), "both")


def test_the_form_starts_a_fusion_and_leads_to_it(client: Client, streams: list[Evaluation]) -> None:
    address = reverse("experiments:fusion_new")
    assert b"rgb run" in client.get(address).content
    answer = client.post(
        address,
        {
            "name": "both",
            "streams": [e.pk for e in streams],
            "method": "weighted",
            "normalize": "softmax",
            "weights": "1, 1.5",
            "svm_c": "1",
            "fit": "validation_scores",
            "folds": "5",
        },
    )
    fusion = Fusion.objects.get()
    assert answer.headers["Location"] == reverse("experiments:fusion_detail", args=(fusion.pk,))
    assert fusion.fusion == FusionConfig(method="weighted", weights=(1.0, 1.5))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"streams": []}, "Choose the evaluations of two runs or more"),
        ({"streams": [10**9]}, "is not one of the available choices"),
        ({"weights": "1"}, "1 weight for 2 streams"),
        ({"weights": "one, two"}, "Must be a number"),
        ({"svm_c": "0"}, "Must be more than 0"),
        ({"name": ""}, "This field is required"),
    ],
)
def test_the_form_says_what_is_wrong(client: Client, streams: list[Evaluation], changes: dict[str, Any], message: str) -> None:
    how = {"method": "weighted", "normalize": "softmax", "weights": "1, 1", "svm_c": "1", "fit": "validation_scores", "folds": "5"}
    good = {"name": "x", "streams": [e.pk for e in streams], **how}
    answer = client.post(reverse("experiments:fusion_new"), {**good, **changes})
    assert answer.status_code == 200
    assert message in answer.content.decode()
    assert not Fusion.objects.exists()


def test_only_editors_may_fuse_and_see_streams_to_choose(dataset: Dataset, streams: list[Evaluation]) -> None:
    viewer, editor = make_user("grace"), make_user("linus")
    share(dataset, viewer)
    share(dataset, editor, Membership.Role.EDITOR)
    assert fusable_places(viewer) == []
    assert [(place.subset, place.count) for place in fusable_places(editor)] == [("test", 2)]
    client = Client()
    client.force_login(viewer)
    assert b"Nothing to fuse yet" in client.get(reverse("experiments:fusion_new")).content
    client.post(reverse("experiments:fusion_new"), {"name": "x", "streams": [e.pk for e in streams]})
    assert not Fusion.objects.exists()


def test_who_is_right_is_counted_for_every_pattern(streams: list[Evaluation]) -> None:
    fusion = make_fusion(streams)
    expected: dict[tuple[bool, bool], int] = {}
    for label in range(9):
        for position in range(4):
            key = (appearance_only(label, position) == label, motion_only(label, position) == label)
            expected[key] = expected.get(key, 0) + 1
    found = agreements(fusion.evaluation, streams)
    assert {agreement.right: agreement.count for agreement in found} == expected
    assert sum(agreement.share for agreement in found) == pytest.approx(1)
    assert all(agreement.fused == agreement.count == sum(agreement.by_class.values()) for agreement in found)
    assert found[-1].right == (False, False)


def test_weights_are_shown_as_shares_and_an_svm_has_none(streams: list[Evaluation]) -> None:
    weighted = make_fusion(streams, config=FusionConfig(method="weighted", weights=(1.0, 3.0)))
    assert [stream.weight for stream in streams_of(weighted)] == [0.25, 0.75]
    assert [stream.weight for stream in streams_of(make_fusion(streams))] == [0.5, 0.5]
    assert [stream.weight for stream in streams_of(make_fusion(streams, config=FusionConfig(method="svm")))] == [None, None]


def test_streams_of_one_modality_are_told_apart_by_name(dataset: Dataset, streams: list[Evaluation]) -> None:
    third = make_evaluation(make_run(dataset, "flow", name="another flow"))
    assert [stream.short for stream in streams_of(make_fusion([*streams, third]))] == ["RGB", "flow run", "another flow"]


def test_the_page_shows_streams_and_fusion_side_by_side(client: Client, streams: list[Evaluation]) -> None:
    fusion = make_fusion(streams)
    response = client.get(reverse("experiments:fusion_detail", args=(fusion.pk,)))
    text = response.content.decode()
    assert [name for name, *_ in response.context["columns"]] == ["RGB", "flow", "fusion"]
    assert text.count("data-cells") == 3
    assert text.count("5 frames × 1 crop") >= 4
    assert len(response.context["recall_figure"]["data"]) == 3
    assert "the fusion finds it on 100\u00a0% of those" in text


def test_the_counts_of_the_page_lead_to_just_those_videos(client: Client, streams: list[Evaluation]) -> None:
    fusion = make_fusion(streams, lambda label, position: label if position else label + 1)
    page = client.get(reverse("experiments:fusion_detail", args=(fusion.pk,)))
    for answer in page.context["answers"]:
        assert client.get(answer.url).context["page"].paginator.count == answer.agreement.count
        assert client.get(answer.fused_url).context["page"].paginator.count == answer.agreement.fused
        part = answer.part_of(page.context["results"].classes[:1])
        assert [client.get(url).context["page"].paginator.count for url in part.hrefs] == part.counts


def test_three_streams_have_names_for_every_pattern(client: Client, dataset: Dataset, streams: list[Evaluation]) -> None:
    fusion = make_fusion([*streams, make_evaluation(make_run(dataset, "flow", name="third"))])
    answers = client.get(reverse("experiments:fusion_detail", args=(fusion.pk,))).context["answers"]
    assert len({answer.name for answer in answers}) == len(answers)
    assert {"only third", "only RGB + third"} <= {answer.name for answer in answers}


def test_until_the_scores_are_there_the_page_shows_each_streams_state(client: Client, streams: list[Evaluation]) -> None:
    fusion = make_fusion(streams, state=Job.State.WAITING)
    text = client.get(reverse("experiments:fusion_detail", args=(fusion.pk,))).content.decode()
    assert 'hx-trigger="every 2s"' in text
    assert "rgb run" in text and "flow run" in text


def test_outsiders_get_404_and_members_the_page(dataset: Dataset, streams: list[Evaluation]) -> None:
    address = reverse("experiments:fusion_detail", args=(make_fusion(streams).pk,))
    viewer, outsider, client = make_user("grace"), make_user("eve"), Client()
    share(dataset, viewer)
    assert client.get(address).status_code == 302
    for person, status in ((outsider, 404), (viewer, 200)):
        client.force_login(person)
        assert client.get(address).status_code == status


def test_a_fusion_of_ucf101_size_takes_few_queries(
    client: Client, user: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    large = make_dataset(user, [f"class {i:03d}" for i in range(101)], videos_per_class=132, name="large")
    members = [make_evaluation(make_run(large, modality), lambda label, position: label + position % 2) for modality in ("rgb", "flow")]
    address = reverse("experiments:fusion_detail", args=(make_fusion(members).pk,))
    with django_assert_max_num_queries(10):
        assert client.get(address).status_code == 200
