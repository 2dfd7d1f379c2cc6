"""Another split of a dataset: by groups, by the import's own rule, and refused where nothing could be tested."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ml.config.partition import Clip, generate_split
from tests.webapp.factories import make_dataset, make_user, share
from webapp.datasets.models import Dataset, SplitEntry, Video
from webapp.datasets.services.splits import NoSplit, make_split

pytestmark = pytest.mark.django_db


def subsets_by_group(dataset: Dataset, name: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for group, subset in SplitEntry.objects.filter(split__dataset=dataset, split__name=name).values_list("video__group", "subset"):
        found.setdefault(group, set()).add(subset)
    return found


def test_a_new_split_keeps_groups_whole_and_is_the_one_an_import_makes(as_ada: Client, dataset: Dataset) -> None:
    address = reverse("datasets:split_new", args=(dataset.pk,))
    response = as_ada.post(address, {"test_fraction": 0.5, "seed": 7})
    assert response["Location"] == reverse("datasets:dataset_detail", args=(dataset.pk,)) + "?split=2"
    groups = subsets_by_group(dataset, "2")
    assert set(map(len, groups.values())) == {1} and {"train"} in groups.values() and {"test"} in groups.values()
    videos = list(dataset.videos.select_related("label").order_by("pk"))
    clips = [Clip(video.key, video.label.name if video.label else "", video.group, video.media) for video in videos]
    made = dict(SplitEntry.objects.filter(split__dataset=dataset, split__name="2").values_list("video__key", "subset"))
    assert made == generate_split(clips, 0.5, 7)
    assert "Split “2” is made." in as_ada.get(response["Location"]).content.decode()


def test_videos_of_one_group_cannot_be_split_and_the_page_says_why(as_ada: Client, dataset: Dataset) -> None:
    dataset.videos.update(group="all one")
    response = as_ada.post(reverse("datasets:split_new", args=(dataset.pk,)), {"test_fraction": 0.5, "seed": 7})
    assert response.status_code == 400 and "No video can be spared for testing" in response.content.decode()
    assert dataset.splits.count() == 1


def test_a_share_that_is_none_is_refused_in_place(as_ada: Client, dataset: Dataset) -> None:
    response = as_ada.post(reverse("datasets:split_new", args=(dataset.pk,)), {"test_fraction": 1.5, "seed": -1})
    assert response.status_code == 400 and response.content.decode().count('class="error"') == 2


def test_a_class_that_no_group_of_it_can_be_spared_for_is_named(as_ada: Client, dataset: Dataset) -> None:
    dataset.videos.filter(label__name="wave").update(group="one recording")
    page = as_ada.post(reverse("datasets:split_new", args=(dataset.pk,)), {"test_fraction": 0.5, "seed": 7}, follow=True).content.decode()
    assert "1 class is not tested in it" in page and ": wave" in page


def test_a_dataset_made_of_two_keeps_the_tests_of_the_first(dataset: Dataset) -> None:
    dataset.combination = {"first": [1, "a"], "second": [2, "b"], "classes": {}, "added": {}}
    dataset.save()
    with pytest.raises(NoSplit):
        make_split(dataset, test_fraction=0.3, seed=0)


def test_who_may_only_look_makes_no_split(client: Client, dataset: Dataset) -> None:
    viewer = make_user("vera")
    share(dataset, viewer)
    client.force_login(viewer)
    assert client.get(reverse("datasets:split_new", args=(dataset.pk,))).status_code == 404
    assert "New split" not in client.get(reverse("datasets:dataset_detail", args=(dataset.pk,))).content.decode()


def test_the_page_of_a_dataset_warns_of_a_split_without_tests_and_of_one_without_groups(as_ada: Client, ada: User) -> None:
    dataset = make_dataset(ada)
    address = reverse("datasets:dataset_detail", args=(dataset.pk,))
    sound = as_ada.get(address).content.decode()
    assert "Healthy" in sound and "no test videos" not in sound
    SplitEntry.objects.filter(split__dataset=dataset).update(subset="train")
    Video.objects.filter(dataset=dataset).update(group="")
    page = as_ada.get(address).content.decode()
    assert "Split “1” has no test videos" in page and "column “group”" in page and "Healthy" not in page


def test_videos_without_groups_are_not_called_healthy_whoever_made_the_split(as_ada: Client, ada: User) -> None:
    dataset = make_dataset(ada)
    dataset.splits.update(origin="csv")
    Video.objects.filter(dataset=dataset).update(group="")
    page = as_ada.get(reverse("datasets:dataset_detail", args=(dataset.pk,))).content.decode()
    assert "no groups" in page and "nothing tells whether clips of one recording stand on both sides" in page and "Healthy" not in page


def test_a_few_videos_without_a_group_are_counted_and_the_dataset_is_not_called_healthy(as_ada: Client, ada: User) -> None:
    dataset = make_dataset(ada)
    Video.objects.filter(pk=dataset.videos.all()[0].pk).update(group="")
    page = as_ada.get(reverse("datasets:dataset_detail", args=(dataset.pk,))).content.decode()
    assert f"1 of {dataset.videos.count()} videos has no group." in page and "column “group”" in page and "Healthy" not in page


def test_a_tile_with_one_of_something_is_in_the_singular(as_ada: Client, ada: User) -> None:
    dataset = make_dataset(ada, ("clap",), videos_per_class=1)
    page = as_ada.get(reverse("datasets:dataset_detail", args=(dataset.pk,))).content.decode()
    for one in ("video", "class", "group"):
        assert f"<b>1</b><span>{one}</span>" in page
