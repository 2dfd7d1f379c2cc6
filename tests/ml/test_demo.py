"""The demo keeps its promise: a frame tells the appearance and not the motion, grey-level flow the motion and not the appearance."""

import csv
from argparse import ArgumentParser
from collections import Counter
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]
from sklearn.ensemble import RandomForestClassifier

from ml import demo
from ml.commands import draw as draw_command
from ml.config.flow import Farneback
from ml.events import Finished, Progress, Stopped
from ml.flow import build_flow
from ml.process import Stop
from ml.video.arrays import Pixels
from ml.video.decode import decode_frames
from ml.video.mp4 import EACH_FRAME_ALONE, write_mp4
from ml.video.probe import probe

AMBER, JADE, VIOLET = demo.APPEARANCES


def drawn(appearance: demo.Appearance, motion: str, number: int = 0, group: int = 1) -> Pixels:
    """(T, H, W, 3): the same scene, start and speed for every appearance."""
    generator = np.random.default_rng((number, group))
    return np.stack(list(demo.draw(appearance, motion, demo.scene_of(group, 0), generator)))


def grey(frames: Pixels) -> list[Pixels]:
    return [np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8) for frame in frames]


@pytest.mark.parametrize("motion", demo.MOTIONS)
def test_appearances_cannot_be_told_apart_in_grey(motion: str, tmp_path: Path) -> None:
    written = [drawn(appearance, motion) for appearance in demo.APPEARANCES]
    read = []
    for frames in written:
        write_mp4(tmp_path / "v.mp4", frames, demo.FPS, EACH_FRAME_ALONE)
        read.append(np.stack(list(decode_frames(tmp_path / "v.mp4"))))
    for other in (1, 2):
        assert np.abs(difference(written[0], written[other])).max() <= 1
        coded = difference(read[0], read[other])  # coding noise, no shift
        assert abs(coded.mean()) < 0.1 and np.percentile(np.abs(coded), 99.9) <= 8


def difference(a: Pixels, b: Pixels) -> np.ndarray:
    return np.stack(grey(a)).astype(int) - np.stack(grey(b))


def test_appearances_are_far_apart_in_colour_and_none_is_clipped() -> None:
    means = []
    for appearance in demo.APPEARANCES:
        frames = drawn(appearance, "sway")
        assert frames.min() > 0 and frames.max() < 255
        bright = frames[np.stack(grey(frames)) > 130].mean(axis=0)
        means.append(bright)
    assert min(np.abs(a - b).max() for a, b in ((means[0], means[1]), (means[0], means[2]), (means[1], means[2]))) > 60


def test_at_any_frame_positions_and_orientations_are_distributed_alike_in_all_motions() -> None:
    generator = np.random.default_rng(0)
    lever = 16.0
    for frame in (0, 9, demo.NUM_FRAMES - 1):
        for motion in demo.MOTIONS:
            at_frame = [demo.poses(motion, lever, generator)[frame] for _ in range(1500)]
            shares = np.array([(pose.x / demo.REACH, pose.y / demo.REACH, pose.angle / np.pi) for pose in at_frame]) / 2 % 1
            for place in shares.T:
                assert stats.kstest(place, stats.uniform.cdf).pvalue > 1e-4, (motion, frame)
            assert np.abs(np.corrcoef(shares.T) - np.eye(3)).max() < 0.12


def test_every_motion_goes_at_the_same_speeds_and_both_ways() -> None:
    lever = 16.0
    speeds: dict[str, list[float]] = {}
    for motion in demo.MOTIONS:
        generator = np.random.default_rng(1)
        steps = []
        for _ in range(300):
            a, b = demo.poses(motion, lever, generator)[:2]
            steps.append(abs(b.x - a.x) + abs(b.y - a.y) + lever * abs(b.angle - a.angle))
        speeds[motion] = [step for step in steps if step > demo.SPEEDS[0] - 1e-9]  # the others turned back in this step
        assert len(speeds[motion]) > 250 and max(speeds[motion]) <= demo.SPEEDS[1] + 1e-9
    assert stats.ks_2samp(speeds["sway"], speeds["spin"]).pvalue > 0.01


def test_folding_turns_back_at_the_border_and_keeps_the_step() -> None:
    places = [demo.fold(step * 0.7) for step in range(400)]
    assert max(places) <= demo.REACH and min(places) >= -demo.REACH
    steps = np.abs(np.diff(places))
    assert np.median(steps) == pytest.approx(0.7) and steps.max() <= 0.7 + 1e-9
    assert demo.fold(5.0) == 5.0 and demo.fold(demo.REACH + 3) == pytest.approx(demo.REACH - 3)


def named_by_flow(frames: Pixels) -> str:
    """Which of mean |x| and mean |y| stands out in five grey-level fields; neither in a spin."""
    flow, images = build_flow(Farneback()), grey(frames[8:14])
    x, y = np.abs(np.stack([flow(a, b) for a, b in pairwise(images)])).mean(axis=(0, 2, 3))
    return "sway" if x > 2.5 * y else "bounce" if y > 2.5 * x else "spin"


def test_five_flow_fields_tell_every_motion() -> None:
    for motion in demo.MOTIONS:
        for number in range(6):
            assert named_by_flow(drawn(AMBER, motion, number, group=number + 1)) == motion


@pytest.mark.slow
def test_one_decoded_frame_does_not_tell_the_motion(tmp_path: Path) -> None:
    features, motions, groups = [], [], []
    for clip in demo.clips(num_groups=30, clips_per_group=1, seed=3):
        if clip.appearance is AMBER:
            demo.write_clip(clip, tmp_path)
            frame = list(decode_frames(tmp_path / clip.path))[14]
            features.append(np.concatenate([np.histogram(frame[..., channel], 16, (0, 256))[0] for channel in range(3)]))
            motions.append(clip.motion)
            groups.append(clip.group)
    held_out = np.array(groups) % 2 == 0
    x, y = np.array(features), np.array(motions)
    forest = RandomForestClassifier(200, random_state=0).fit(x[~held_out], y[~held_out])
    correct = int((forest.predict(x[held_out]) == y[held_out]).sum())
    assert stats.binomtest(correct, int(held_out.sum()), 1 / 3, alternative="greater").pvalue > 0.005


def ask(out: Path, *arguments: str, stop: Stop | None = None) -> list[object]:
    parser = ArgumentParser()
    draw_command.add_arguments(parser)
    return list(draw_command.run(parser.parse_args(["--out", str(out), *arguments]), stop or Stop()))


def test_the_command_draws_nine_folders_of_real_videos_and_lists_their_groups(tmp_path: Path) -> None:
    events = ask(tmp_path, "--groups", "2", "--clips-per-group", "1")
    videos = sorted(tmp_path.rglob("*.mp4"))
    assert isinstance(events[-1], Finished) and events[-1].summary["videos"] == len(videos) == 18
    assert Counter(video.parent.name for video in videos) == dict.fromkeys(
        (f"{a.name}_{motion}" for a in demo.APPEARANCES for motion in demo.MOTIONS), 2
    )
    assert (tmp_path / "amber_sway" / "v_AmberSway_g01_c01.mp4") in videos
    facts = probe(videos[0])
    assert (facts.width, facts.height, facts.codec, facts.fps) == (demo.SIDE, demo.SIDE, "h264", demo.FPS)
    assert len(list(decode_frames(videos[0]))) == demo.NUM_FRAMES
    assert len({video.read_bytes() for video in videos}) == 18
    with (tmp_path / "clips.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert {tmp_path / row["path"] for row in rows} == set(videos)
    assert all(row["label"] == row["path"].split("/")[0] and f"_{row['group']}_" in row["path"] for row in rows)


def test_the_same_seed_draws_the_same_video_and_another_seed_another(tmp_path: Path) -> None:
    first = demo.Clip(JADE, "spin", 3, 2, seed=0)
    again, other = (demo.Clip(JADE, "spin", 3, 2, seed) for seed in (0, 1))
    for clip, name in ((first, "a"), (again, "b"), (other, "c")):
        demo.write_clip(clip, tmp_path / name)
    a, b, c = ((tmp_path / name / first.path).read_bytes() for name in "abc")
    assert a == b != c


def test_groups_differ_in_their_backgrounds_and_clips_of_one_group_share_it() -> None:
    backgrounds = [demo.scene_of(group, 0).ground for group in (1, 1, 2)]
    assert np.array_equal(backgrounds[0], backgrounds[1]) and not np.array_equal(backgrounds[0], backgrounds[2])


def test_a_stop_ends_the_drawing(tmp_path: Path) -> None:
    stop = Stop()
    stop.requested = True
    events = ask(tmp_path, "--groups", "1", stop=stop)
    assert isinstance(events[-1], Stopped) and not any(isinstance(event, Progress) for event in events)
