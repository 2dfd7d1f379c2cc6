from collections import Counter
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from ml.config.data import DataConfig, FlowInput, Manifest, RGBDiffInput, RGBStackInput
from ml.config.evaluation import Protocol
from ml.errors import BadConfig, MissingFlow
from ml.flow.stacking import stack_flow, subtract_mean
from ml.video.dataset import (
    Draw,
    MiddleViews,
    SnippetReader,
    TrainingDataset,
    UniformClassSampler,
    iter_views,
    read_views,
    subset_videos,
)
from ml.video.manifest import store_of
from ml.video.modality import modality_of
from ml.video.pack import FlowPack, FramePack, write_frame_pack
from ml.video.sampling import segment_middles, view_groups
from ml.video.subsets import group_of
from ml.video.transforms import five_crops, mirror_flow, rescale_flow
from tests.ml.packed import FLOW, FRAMES, entry, manifest_of, moving, packed_dataset

RGB = DataConfig(short_side=40, crop_size=32, color_jitter=0.1)
STACKS = DataConfig(input=FlowInput(stack_len=4, flow=FLOW), short_side=40, crop_size=32)
DIFFERENCES = DataConfig(input=RGBDiffInput(stack_len=2), short_side=40, crop_size=32)
WHOLE = DataConfig(short_side=48, crop_size=48, flip=False)


@pytest.mark.parametrize(("data", "channels"), [(RGB, 3), (STACKS, 8), (DIFFERENCES, 6)])
def test_a_training_item_depends_on_seed_epoch_and_position_alone(tmp_path: Path, data: DataConfig, channels: int) -> None:
    manifest = packed_dataset(tmp_path)
    dataset = TrainingDataset(tmp_path, manifest, data, manifest.videos, seed=3)
    x, label = dataset[Draw(2, 7, 5)]
    assert x.shape == (channels, 32, 32) and x.dtype == torch.float32 and label == 1
    dataset[Draw(2, 8, 1)]
    again = TrainingDataset(tmp_path, manifest, data, manifest.videos, seed=3)[Draw(2, 7, 5)][0]
    assert torch.equal(x, again)
    other_seed = TrainingDataset(tmp_path, manifest, data, manifest.videos, seed=4)
    for different in (dataset[Draw(3, 7, 5)], dataset[Draw(2, 8, 5)], other_seed[Draw(2, 7, 5)]):
        assert not torch.equal(x, different[0])


def test_loader_processes_change_no_number(tmp_path: Path) -> None:
    manifest = packed_dataset(tmp_path)
    dataset = TrainingDataset(tmp_path, manifest, STACKS, manifest.videos, seed=0)
    sampler = UniformClassSampler(dataset.labels, 9, seed=0)
    alone = list(DataLoader(dataset, 4, sampler=sampler))
    helped = list(DataLoader(dataset, 4, sampler=sampler, num_workers=2, multiprocessing_context="spawn"))
    assert len(alone) == len(helped) == 3
    for (x, y), (x2, y2) in zip(alone, helped, strict=True):
        assert torch.equal(x, x2) and torch.equal(y, y2)


def test_an_item_without_chance_is_a_frame_of_the_pack(tmp_path: Path) -> None:
    manifest = packed_dataset(tmp_path, 2)
    dataset = TrainingDataset(tmp_path, manifest, WHOLE, manifest.videos, seed=0)
    with FramePack(store_of(tmp_path, manifest).frames(manifest.videos[1].media, FRAMES.spec_id()), FRAMES) as pack:
        frames = pack.read(range(9)).transpose(0, 3, 1, 2)  # (T, 3, H, W)
    x = dataset[Draw(0, 0, 1)][0].numpy()
    places = [(t, left) for t in range(9) for left in range(13) if np.array_equal(frames[t, :, :, left : left + 48], x)]
    assert len(places) == 1


@pytest.mark.parametrize(("data", "channels"), [(RGB, 3), (STACKS, 8), (DIFFERENCES, 6)])
def test_an_item_of_segments_has_one_snippet_of_each_in_order(tmp_path: Path, data: DataConfig, channels: int) -> None:
    manifest = packed_dataset(tmp_path)
    dataset = TrainingDataset(tmp_path, manifest, data.replace(num_segments=3), manifest.videos, seed=3)
    x, _ = dataset[Draw(0, 1, 2)]
    assert x.shape == (3, channels, 32, 32) and x.dtype == torch.float32
    x, labels = next(iter(DataLoader(dataset, 2, sampler=UniformClassSampler(dataset.labels, 4, seed=0))))
    assert x.shape == (2, 3, channels, 32, 32) and labels.shape == (2,)


def test_segments_share_one_window_one_mirror_image_and_one_colour_shift(tmp_path: Path) -> None:
    manifest = packed_dataset(tmp_path, 1)
    still = np.repeat(moving(1, 0, 0), 9, axis=0)
    write_frame_pack(store_of(tmp_path, manifest).frames(manifest.videos[0].media, FRAMES.spec_id()), still, FRAMES)
    dataset = TrainingDataset(tmp_path, manifest, RGB.replace(num_segments=3), manifest.videos, seed=0)
    items = [dataset[Draw(0, position, 0)][0] for position in range(5)]
    assert all(torch.equal(x[0], x[1]) and torch.equal(x[0], x[2]) for x in items)
    assert not any(torch.equal(x, y) for x, y in pairwise(items))


def window_of(item: np.ndarray, pictures: np.ndarray) -> list[tuple[int, int, int, int]]:
    """(number, top, left, direction) of the windows of (n, C, H, W) that hold the item as it is or mirrored."""
    size = item.shape[-1]
    places = product(range(pictures.shape[2] - size + 1), range(pictures.shape[3] - size + 1), (1, -1))
    return [
        (int(number), *place)
        for place in places
        for number in np.flatnonzero((pictures[..., place[0] :, place[1] :][..., :size, :size][..., :: place[2]] == item).all((1, 2, 3)))
    ]


def test_rgb_and_flow_of_a_video_get_the_same_window_and_mirror_image(tmp_path: Path) -> None:
    manifest = packed_dataset(tmp_path, 1)
    rgb, flow = (data.replace(short_side=48, color_jitter=0) for data in (RGB, STACKS))
    units = []
    for data in (rgb, flow):
        with SnippetReader(tmp_path, manifest, data).open(manifest.videos[0].media) as pack:
            units.append(pack.read(range(len(pack))))
    frames, stacks = units[0].transpose(0, 3, 1, 2), np.stack([stack_flow(subtract_mean(units[1][t : t + 4])) for t in range(5)])
    datasets = [TrainingDataset(tmp_path, manifest, data, manifest.videos, seed=2) for data in (rgb, flow)]
    directions = set()
    for position in range(8):
        x, y = (dataset[Draw(0, position, 0)][0].numpy() for dataset in datasets)
        [(_, *seen)] = window_of(x, frames)
        y[0::2] *= seen[2]  # mirrored flow has x negated
        assert [place for _, *place in window_of(y, stacks)] == [seen]
        directions.add(seen[2])
    assert directions == {1, -1}


@pytest.mark.parametrize("data", [RGB, STACKS, DIFFERENCES])
def test_validation_sees_the_centre_of_the_middle_of_each_segment(tmp_path: Path, data: DataConfig) -> None:
    manifest = packed_dataset(tmp_path, 2)
    views = MiddleViews(tmp_path, manifest, data.replace(num_segments=2), manifest.videos)
    single = MiddleViews(tmp_path, manifest, data, manifest.videos)
    x, label = views[1]
    with SnippetReader(tmp_path, manifest, data).open(manifest.videos[1].media) as pack:
        L = modality_of(data.input).snippet_len(data.input)
        starts, num_starts = segment_middles(len(pack), L, 2), len(pack) - L + 1
    assert label == 1 and x.shape[0] == 2 and single[1][0].shape == x.shape[1:] and starts[0] < starts[1]
    every = read_views(SnippetReader(tmp_path, manifest, data), manifest.videos[1], data, Protocol(frames=num_starts, crops=1))
    assert [[bool(np.array_equal(view, snippet)) for view in every].index(True) for snippet in x.numpy()] == starts


def test_half_of_the_items_are_mirrored(tmp_path: Path) -> None:
    manifest = packed_dataset(tmp_path, 1)
    data = STACKS.replace(short_side=48, crop_size=48)
    plain = TrainingDataset(tmp_path, manifest, data.replace(flip=False), manifest.videos, seed=0)
    flipped = TrainingDataset(tmp_path, manifest, data, manifest.videos, seed=0)
    mirrored = 0
    for position in range(60):
        a, b = plain[Draw(0, position, 0)][0].numpy(), flipped[Draw(0, position, 0)][0].numpy()
        assert np.array_equal(a, b) or np.array_equal(mirror_flow(a), b)
        mirrored += not np.array_equal(a, b)
    assert 18 <= mirrored <= 42


def test_views_are_equally_spaced_stacks_in_ten_crops(tmp_path: Path) -> None:
    manifest = packed_dataset(tmp_path, 1)
    video = manifest.videos[0]
    views = read_views(SnippetReader(tmp_path, manifest, STACKS), video, STACKS, Protocol(frames=3, crops=10))
    expected = []
    with FlowPack(store_of(tmp_path, manifest).flow(video.media, FRAMES.spec_id(), FLOW.spec_id()), FLOW, FRAMES) as pack:
        for start in (0, 2, 4):  # 8 fields, L = 4
            stack = rescale_flow(stack_flow(subtract_mean(pack.read(range(start, start + 4)))), 40)
            expected += [five_crops(stack, 32), five_crops(mirror_flow(stack), 32)]
        from_pack = read_views(pack, video, STACKS, Protocol(frames=3, crops=10))
    assert views.shape == (30, 8, 32, 32)
    assert np.array_equal(views, np.concatenate(expected)) and np.array_equal(views, from_pack)


@pytest.mark.parametrize(("crops", "kept"), [(1, [4]), (5, [0, 1, 2, 3, 4])])
def test_fewer_crops_are_the_first_of_the_ten_or_their_centre(tmp_path: Path, crops: int, kept: list[int]) -> None:
    manifest = packed_dataset(tmp_path, 1)
    reader, video = SnippetReader(tmp_path, manifest, RGB), manifest.videos[0]
    few = list(iter_views(reader, video, RGB, Protocol.parse(f"2x{crops}")))
    ten = list(iter_views(reader, video, RGB, Protocol(frames=2, crops=10)))
    assert len(few) == 2
    assert all(np.array_equal(a, b[kept]) for a, b in zip(few, ten, strict=True))


def test_a_protocol_says_where_views_are_taken(tmp_path: Path) -> None:
    manifest = packed_dataset(tmp_path, 1)
    reader, video = SnippetReader(tmp_path, manifest, RGB), manifest.videos[0]
    every = read_views(reader, video, RGB, Protocol(frames=9, crops=1))  # of 9 frames
    for sampling, places in (("spread", [0, 4, 8]), ("middles", [1, 4, 7])):
        views = read_views(reader, video, RGB, Protocol.model_validate({"frames": 3, "crops": 1, "sampling": sampling}))
        assert np.array_equal(views, every[places])


@pytest.mark.parametrize("data", [RGB, STACKS, DIFFERENCES])
def test_views_grouped_into_videos_are_the_same_views_of_the_same_crop(tmp_path: Path, data: DataConfig) -> None:
    manifest = packed_dataset(tmp_path, 1)
    reader, video, protocol = SnippetReader(tmp_path, manifest, data), manifest.videos[0], Protocol(frames=6, crops=10)
    alone = list(iter_views(reader, video, data, protocol))
    grouped = list(iter_views(reader, video, data, protocol, num_segments=3))
    assert len(grouped) == 2 and all(piece.shape == (10, 3, *alone[0].shape[1:]) for piece in grouped)
    for group, piece in zip(view_groups(6, 3), grouped, strict=True):
        for segment, view in enumerate(group):
            assert np.array_equal(piece[:, segment], alone[view])
    assert read_views(reader, video, data, protocol, num_segments=3).shape == (20, 3, *alone[0].shape[1:])


def test_a_video_with_fewer_fields_than_l_repeats_its_last(tmp_path: Path) -> None:
    manifest = packed_dataset(tmp_path, 1)
    data = STACKS.replace(input=FlowInput(stack_len=12, flow=FLOW))
    view = read_views(SnippetReader(tmp_path, manifest, data), manifest.videos[0], data, Protocol(frames=2, crops=1))
    assert view.shape == (2, 24, 32, 32)
    assert np.array_equal(view[0], view[1])
    assert all(np.array_equal(view[0, 14:16], view[0, c : c + 2]) for c in range(16, 24, 2))
    assert not np.array_equal(view[0, 12:14], view[0, 14:16])


CLIPS = DataConfig(input=RGBStackInput(clip_len=8, frame_stride=3), short_side=48, crop_size=32, num_segments=2)


@pytest.fixture
def numbered(tmp_path: Path) -> Manifest:
    """A video of 40 frames, each as bright as its number."""
    manifest = packed_dataset(tmp_path, 1, flow=None)
    path = store_of(tmp_path, manifest).frames(manifest.videos[0].media, FRAMES.spec_id())
    write_frame_pack(path, np.broadcast_to(np.arange(40, dtype=np.uint8)[:, None, None, None], (40, 48, 60, 3)), FRAMES)
    return manifest


def frames_of(clip: np.ndarray) -> list[int]:
    """The numbers of the frames in a clip (3 T, H, W)."""
    numbers = clip.reshape(-1, 3, *clip.shape[1:])
    assert (numbers == numbers[:, :1, :1, :1]).all()
    return [round(float(number)) for number in numbers[:, 0, 0, 0]]


def test_clips_are_frames_at_their_stride_from_every_place_where_they_fit(tmp_path: Path, numbered: Manifest) -> None:
    training = TrainingDataset(tmp_path, numbered, CLIPS, numbered.videos, seed=0)
    seen: set[int] = set()
    for position in range(200):
        first, second = map(frames_of, training[Draw(0, position, 0)][0].numpy())
        assert first == list(range(first[0], first[0] + 22, 3)) and second == list(range(second[0], second[0] + 22, 3))
        assert first[0] in range(9) and second[0] in range(9, 18)  # 40 frames, of which a clip spans 22: 19 starts in two segments
        seen |= {first[0], second[0]}
    assert seen == set(range(18))
    middles = MiddleViews(tmp_path, numbered, CLIPS, numbered.videos)[0][0].numpy()
    assert [frames_of(clip)[0] for clip in middles] == [4, 14]


def test_views_of_clips_are_clips_times_crops(tmp_path: Path, numbered: Manifest) -> None:
    views = read_views(SnippetReader(tmp_path, numbered, CLIPS), numbered.videos[0], CLIPS, Protocol(frames=3, crops=10))
    assert views.shape == (3 * 10, 3 * 8, 32, 32)
    assert [frames_of(view) for view in views] == [list(range(start, start + 22, 3)) for start in (0, 9, 18) for _ in range(10)]
    long = CLIPS.replace(input=RGBStackInput(clip_len=8, frame_stride=6))  # spans 43 of 40 frames
    view = read_views(SnippetReader(tmp_path, numbered, long), numbered.videos[0], long, Protocol(frames=1, crops=1))[0]
    assert frames_of(view) == [0, 6, 12, 18, 24, 30, 36, 39]


def test_differences_need_no_flow_and_a_short_video_ends_in_rest(tmp_path: Path) -> None:
    manifest = packed_dataset(tmp_path, 1, flow=None)
    data = DIFFERENCES.replace(input=RGBDiffInput(stack_len=10))  # of 9 frames
    view = read_views(SnippetReader(tmp_path, manifest, data), manifest.videos[0], data, Protocol(frames=1, crops=1))
    assert view.shape == (1, 30, 32, 32)
    assert view[0, :24].any(axis=(1, 2)).all() and not view[0, 24:].any()


def test_flow_that_nobody_extracted_is_named(tmp_path: Path) -> None:
    manifest = packed_dataset(tmp_path, 1, flow=None)
    with pytest.raises(MissingFlow, match=r"a/0\.mp4 has no farneback flow"):
        TrainingDataset(tmp_path, manifest, STACKS, manifest.videos, 0)[Draw(0, 0, 0)]


def test_a_crop_larger_than_the_picture_is_refused(tmp_path: Path) -> None:
    manifest = packed_dataset(tmp_path, 1)
    with pytest.raises(BadConfig, match=r"64 px.*40 px"):
        SnippetReader(tmp_path, manifest, RGB.replace(crop_size=64))


VIDEOS = [entry(number, "abc"[number % 3], f"g{number // 6:02}") for number in range(120)]  # 20 groups of 2 videos a class
GROUPED = manifest_of(VIDEOS, {video.key: "test" if number >= 90 else "train" for number, video in enumerate(VIDEOS)})


@pytest.mark.parametrize("seed", range(8))
def test_validation_is_held_out_by_whole_groups_and_classes_keep_their_share(seed: int) -> None:
    train, validation, test = (subset_videos(GROUPED, "1", subset, 0.2, seed) for subset in ("train", "validation", "test"))
    assert len(train) == 72 and len(validation) == 18 and test == VIDEOS[90:]
    assert sorted(video.key for video in train + validation) == sorted(video.key for video in VIDEOS[:90])
    assert not {video.group for video in train} & {video.group for video in validation}
    assert Counter(video.label for video in validation) == {"a": 6, "b": 6, "c": 6}


def test_another_seed_holds_out_other_groups_and_the_same_seed_the_same() -> None:
    held_out = [tuple(video.key for video in subset_videos(GROUPED, "1", "validation", 0.2, seed)) for seed in (0, 0, 1, 2)]
    assert held_out[0] == held_out[1] and len(set(held_out)) == 3


def test_a_split_with_its_own_validation_is_taken_as_it_is() -> None:
    manifest = manifest_of(VIDEOS[:4], {"k0": "train", "k1": "validation", "k2": "test", "k3": "train"})
    assert [[v.key for v in subset_videos(manifest, "1", s, 0.5, 0)] for s in ("train", "validation", "test")] == [
        ["k0", "k3"], ["k1"], ["k2"],
    ]  # fmt: skip


def test_nothing_is_held_out_when_nothing_is_asked_for() -> None:
    assert len(subset_videos(GROUPED, "1", "train", 0, 0)) == 90 and subset_videos(GROUPED, "1", "validation", 0, 0) == []


@pytest.mark.parametrize("seed", range(10))
def test_two_videos_of_each_class_that_has_them_are_never_held_out(seed: int) -> None:
    videos = [entry(number, label, f"g{number % 3}") for number, label in enumerate("aaabbc")]
    manifest = manifest_of(videos, {video.key: "train" for video in videos})
    assert Counter(video.label for video in subset_videos(manifest, "1", "train", 0.5, seed)) == {"a": 3, "b": 2, "c": 1}
    more = [*videos, *(entry(number, "a", "g9") for number in range(6, 12))]
    manifest = manifest_of(more, {video.key: "train" for video in more})
    kept = Counter(video.label for video in subset_videos(manifest, "1", "train", 0.7, seed))
    assert kept == {"a": 3, "b": 2, "c": 1}


def test_videos_without_group_stay_with_their_own_copies() -> None:
    videos = [entry(number, "a", media=f"{number // 2:064x}") for number in range(20)]
    manifest = manifest_of(videos, {video.key: "train" for video in videos})
    train, validation = (subset_videos(manifest, "1", subset, 0.3, 0) for subset in ("train", "validation"))
    assert len(validation) == 6
    assert not {group_of(video) for video in train} & {group_of(video) for video in validation}


def test_videos_outside_the_split_belong_nowhere() -> None:
    manifest = manifest_of(VIDEOS[:3], {"k0": "train"})
    assert [video.key for video in subset_videos(manifest, "1", "train", 0.1, 0)] == ["k0"]


def test_an_unknown_split_is_answered_with_those_there_are() -> None:
    with pytest.raises(BadConfig, match="no split “7”") as caught:
        subset_videos(GROUPED, "7", "train")
    assert "1" in caught.value.advice
