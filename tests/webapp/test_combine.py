"""Combining two datasets on the site: who may, what is proposed, what is refused, what the page of the new one says."""

from collections.abc import Mapping
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ml.config.combining import ClassMap
from ml.config.data import FrameSpec
from ml.config.published import PUBLISHED
from tests.webapp.factories import make_dataset, make_evaluation, make_run, make_user, share
from webapp.datasets.models import Dataset, Membership, Split, Video
from webapp.datasets.services.combine import Uncombinable, combine_datasets
from webapp.experiments.heads import Head
from webapp.experiments.models import Run
from webapp.experiments.published_table import ours_of
from webapp.jobs.models import Job

pytestmark = pytest.mark.django_db
SECOND = ("Archery", "Jumping", "WaveHands")


@pytest.fixture
def other(ada: User) -> Dataset:
    """Beside `dataset` with clap, jump, wave."""
    return make_dataset(ada, SECOND, videos_per_class=2, name="sports")


def address(dataset: Dataset, second: Dataset | None = None, shared: str = "left_out") -> str:
    query = f"?second={second.pk}&shared={shared}" if second else ""
    return reverse("datasets:combine_new", args=(dataset.pk,)) + query


def choices(*fates: tuple[str, str], name: str = "both") -> dict[str, str]:
    """The form as a browser sends it: what becomes of each class, and as which."""
    lines = {f"{field}-{number}": value for number, pair in enumerate(fates) for field, value in zip(("fate", "same"), pair, strict=True)}
    return {"name": name, **lines}


LEAVE = ("left_out", "")
ADD = ("added", "")


def test_the_page_proposes_what_names_say_and_leaves_the_rest_to_the_user(as_ada: Client, dataset: Dataset, other: Dataset) -> None:
    form = as_ada.get(address(dataset, other)).context["form"]

    assert [(one.row.name, one.fate.initial, one.same.initial) for one in form.choices] == [
        ("Archery", "added", ""),
        ("Jumping", "left_out", "jump"),
        ("WaveHands", "left_out", "wave"),
    ]
    assert form["name"].initial == "gestures + sports"


def test_classes_of_the_same_name_may_be_proposed_to_join_and_uncertain_ones_never_are(
    as_ada: Client, dataset: Dataset, other: Dataset
) -> None:
    form = as_ada.get(address(dataset, other, "joined")).context["form"]

    assert [one.fate.initial for one in form.choices] == ["added", "same", "left_out"]


def test_a_dataset_with_its_provenance_and_a_job_come_of_it(as_ada: Client, ada: User, dataset: Dataset, other: Dataset) -> None:
    answer = as_ada.post(address(dataset, other), choices(ADD, ("same", "jump"), LEAVE))

    made = Dataset.objects.get(name="both")
    assert answer.url == reverse("datasets:dataset_detail", args=(made.pk,))  # type: ignore[attr-defined]
    assert made.combination == {
        "first": {"id": dataset.pk, "name": "gestures"},
        "second": {"id": other.pk, "name": "sports"},
        "classes": {"Archery": "Archery", "Jumping": "jump", "WaveHands": ""},
        "added": ["Archery"],
    }
    job = Job.objects.get(kind=Job.Kind.COMBINE)
    assert (made.owner, job.dataset, job.subject_id, job.queue) == (ada, made, made.pk, "predict")
    page = as_ada.get(answer.url).content.decode()  # type: ignore[attr-defined]
    assert "Classes of sports: 1 added, 1 joined others, 1 left out" in page and "hx-get" in page
    assert reverse("datasets:dataset_detail", args=(dataset.pk,)) in page


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (choices(LEAVE, LEAVE, LEAVE), "nothing would be added"),
        (choices(ADD, ("same", "<b>jump</b>"), LEAVE), "“&lt;b&gt;jump&lt;/b&gt;” is no class of the first dataset."),
        (choices(ADD, ("same", ""), LEAVE), "Say which class it is."),
        (choices(ADD, ("thrown away", ""), LEAVE), "not one of the available choices"),
        (choices(ADD, LEAVE), "This field is required."),
        (choices(ADD, LEAVE, LEAVE, name=" "), "This field is required."),
    ],
)
def test_choices_that_make_no_sense_are_refused_where_they_stand(
    as_ada: Client, dataset: Dataset, other: Dataset, data: Mapping[str, str], message: str
) -> None:
    answer = as_ada.post(address(dataset, other), data)

    assert answer.status_code == 400 and message in answer.content.decode()
    assert Dataset.objects.count() == 2


def test_a_map_of_more_classes_than_usual_forms_have_fields_is_taken(as_ada: Client, ada: User, dataset: Dataset) -> None:
    many = make_dataset(ada, [f"kind no. {number}" for number in range(700)], videos_per_class=1, name="many")

    as_ada.post(address(dataset, many), choices(*[ADD] * 700))

    assert len(Dataset.objects.get(name="both").combination["added"]) == 700


def test_a_new_class_must_not_have_the_name_of_an_old_one(as_ada: Client, ada: User, dataset: Dataset) -> None:
    same = make_dataset(ada, ("clap", "dance"), name="same name")

    answer = as_ada.post(address(dataset, same), choices(ADD, ADD))

    assert "There is a class of this name" in answer.content.decode()


def test_hostile_and_chinese_names_are_shown_as_they_are(as_ada: Client, ada: User) -> None:
    first, second = make_dataset(ada, ("挥手", "<b>bold</b>"), name="<i>第一</i>"), make_dataset(ada, ("挥手", "<b>Bold</b>"), name="乙")

    page = as_ada.get(address(first, second)).content.decode()

    assert "<b>bold" not in page and "<i>第一" not in page
    assert "same as 挥手" in page and "same as &lt;b&gt;bold&lt;/b&gt;" in page


@pytest.mark.parametrize("asked", ["itself", "foreign", "nothing", "only seen"])
def test_only_another_dataset_that_the_user_may_change_can_be_named(as_ada: Client, ada: User, dataset: Dataset, asked: str) -> None:
    eve = make_user("eve")
    foreign, seen = make_dataset(eve, name="secret"), make_dataset(eve, name="shown")
    share(seen, ada)
    number: Any = {"itself": dataset.pk, "foreign": foreign.pk, "nothing": "x", "only seen": seen.pk}[asked]

    answer = as_ada.post(f"{address(dataset)}?second={number}&shared=left_out", choices(ADD, ADD, ADD))

    assert answer.status_code == 400 and "secret" not in answer.content.decode()
    assert not Dataset.objects.exclude(combination={}).exists()


def test_strangers_and_viewers_do_not_find_the_page_and_editors_do(client: Client, dataset: Dataset) -> None:
    bob = make_user("bob")
    client.force_login(bob)
    assert client.get(address(dataset)).status_code == 404
    membership = share(dataset, bob)
    assert client.get(address(dataset)).status_code == 404
    Membership.objects.filter(pk=membership.pk).update(role=Membership.Role.EDITOR)
    assert client.get(address(dataset)).status_code == 200


def test_without_another_dataset_the_page_says_what_to_do(as_ada: Client, dataset: Dataset) -> None:
    assert "There is no other dataset" in as_ada.get(address(dataset)).content.decode()


def test_pairs_that_do_not_fit_are_told_before_a_class_is_chosen(as_ada: Client, dataset: Dataset, other: Dataset) -> None:
    other.frame_spec = FrameSpec(short_side=128).model_dump(mode="json")
    other.save()
    answer = as_ada.get(address(dataset, other))
    assert answer.status_code == 400 and "short sides of 256 px and 128 px" in answer.content.decode()


def test_a_first_dataset_without_a_split_and_a_second_one_without_videos_are_refused(ada: User, dataset: Dataset, other: Dataset) -> None:
    everything = ClassMap(classes={name: name for name in SECOND})
    Video.objects.filter(dataset=other).update(status=Video.Status.REFUSED)
    with pytest.raises(Uncombinable, match="“sports” has no videos"):
        combine_datasets(ada, dataset, other, everything, "both")
    Split.objects.filter(dataset=dataset).delete()
    with pytest.raises(Uncombinable, match="“gestures” has no split"):
        combine_datasets(ada, dataset, other, everything, "both")


def test_who_may_not_see_the_sources_reads_their_names_without_links(client: Client, ada: User, dataset: Dataset, other: Dataset) -> None:
    made = combine_datasets(ada, dataset, other, ClassMap(classes={name: name for name in SECOND}), "both")
    bob = make_user("bob")
    share(made, bob)
    client.force_login(bob)

    page = client.get(reverse("datasets:dataset_detail", args=(made.pk,))).content.decode()

    assert "gestures" in page and reverse("datasets:dataset_detail", args=(dataset.pk,)) not in page


@pytest.mark.parametrize(
    ("is_combined", "start", "label"),
    [
        (False, "", "Training on HMDB-51 without additional data"),
        (False, "7", "Fine-tuning a ConvNet, pre-trained on UCF-101"),
        (True, "", "Training on HMDB-51 with classes added from UCF-101"),
    ],
)
def test_a_run_stands_beside_the_row_of_table_2_that_says_what_it_learnt_from(
    dataset: Dataset, is_combined: bool, start: str, label: str
) -> None:
    Dataset.objects.update(combination={"first": {}} if is_combined else {})
    run = make_run(Dataset.objects.get(), "flow")
    run.config["training"]["init_run"] = start
    run.save()
    make_evaluation(run)

    ours = ours_of(Head(Run.objects.get()))

    assert [row.label for row in PUBLISHED["two_stream_2"].rows if ours.beside(row)] == [label]


def test_the_live_part_becomes_the_whole_page_when_the_job_is_over(as_ada: Client, ada: User, dataset: Dataset, other: Dataset) -> None:
    made = combine_datasets(ada, dataset, other, ClassMap(classes={name: name for name in SECOND}), "both")
    progress = reverse("datasets:combine_progress", args=(made.pk,))

    assert "Queued" in as_ada.get(progress).content.decode()
    Job.objects.update(state=Job.State.FAILED, failure={"message": "Dataset “sports” was deleted", "advice": "Combine others."})
    assert as_ada.get(progress).headers["HX-Refresh"] == "true"
    page = as_ada.get(reverse("datasets:dataset_detail", args=(made.pk,))).content.decode()
    assert "Dataset “sports” was deleted" in page and "could not be combined" in page
