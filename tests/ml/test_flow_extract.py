import json
import os
import shutil
import signal
import subprocess
import sys
from argparse import ArgumentParser
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ml.flow.extract
from ml.commands import flow as flow_command
from ml.config import flow as config_flow
from ml.config.data import Manifest
from ml.config.flow import DIS, RAFT, Farneback, FlowSpec
from ml.config.presets import PRESETS
from ml.config.room import flow_bytes
from ml.config.schema import Schema
from ml.errors import BadConfig, DiskFull, UserError
from ml.events import Event, Finished, Progress, Started, Stopped, VideoDone, VideoFailed
from ml.flow import build_flow
from ml.flow.extract import Work, extract, extract_video, flow_fields, work_of
from ml.flow.method import FlowMethod
from ml.flow.shard import Shard, parse_shard
from ml.process import Stop
from ml.video.arrays import Floats, Pixels
from ml.video.manifest import save_manifest, store_of
from ml.video.pack import FlowPack, FramePack, write_frame_pack
from tests.ml.packed import FLOW, FRAMES, HEIGHT, WIDTH, entry, moving, packed_dataset

SPEC = FLOW.replace(quality=100)


def works(folder: Path, manifest: Manifest, spec: FlowSpec = SPEC) -> list[Work]:
    return [work_of(folder, manifest, video, spec) for video in manifest.videos]


def run(folder: Path, manifest: Manifest, spec: FlowSpec = SPEC, stop: Stop | None = None, num_processes: int = 2) -> list[Event]:
    return list(extract(folder, manifest, spec, stop or Stop(), num_processes))


@pytest.fixture
def dataset(tmp_path: Path) -> Manifest:
    return packed_dataset(tmp_path, 3, flow=None)


def test_every_video_gets_its_flow_and_its_preview(tmp_path: Path, dataset: Manifest) -> None:
    events = run(tmp_path, dataset)
    assert events[0] == Started("flow", 3 * 8, "pairs") and isinstance(events[-2], Progress)
    assert (events[-2].done, events[-2].total, events[-2].kept) == (24, 24, 0)
    done = {event.video: event.bytes for event in events if isinstance(event, VideoDone)}
    on_disk = {work.name: work.flow.stat().st_size + work.preview.stat().st_size for work in works(tmp_path, dataset)}
    assert done == on_disk
    assert isinstance(events[-1], Finished)
    assert events[-1].summary == {
        "videos": 3, "new": 3, "failed": 0, "bytes": sum(on_disk.values()), "method": "farneback", "spec_id": SPEC.spec_id(),
    }  # fmt: skip


def test_a_field_is_what_opencv_finds_between_two_frames_of_the_pack(tmp_path: Path) -> None:
    manifest = packed_dataset(tmp_path, 1, flow=None)
    work = works(tmp_path, manifest)[0]
    write_frame_pack(work.frames, moving(5, 2, -1), FRAMES)
    extract_video(work)
    with FramePack(work.frames, FRAMES) as frames, FlowPack(work.flow, SPEC, FRAMES) as fields:
        assert len(fields) == 4
        before, after = (cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames.read([2, 3]))
        expected = cv2.calcOpticalFlowFarneback(before, after, None, 0.5, 3, 15, 3, 5, 1.2, 0)  # type: ignore[call-overload]
        got = fields.read([2])[0]
    level = np.ptp(expected, axis=(0, 1)).max() / 255
    assert np.abs(got - expected.transpose(2, 0, 1)).max() <= 1.6 * level
    assert np.median(got[0]) == pytest.approx(2, abs=0.1) and np.median(got[1]) == pytest.approx(-1, abs=0.1)


def test_what_is_there_and_whole_is_kept_and_what_is_cut_short_is_made_anew(tmp_path: Path, dataset: Manifest) -> None:
    first, second, third = works(tmp_path, dataset)
    for work in (first, second, third):
        assert extract_video(work).is_new
    kept = first.flow.stat().st_mtime_ns
    whole = second.flow.read_bytes()
    second.flow.write_bytes(whole[: len(whole) // 2])
    third.preview.unlink()
    assert [extract_video(work).is_new for work in (first, second, third)] == [False, True, False]
    assert first.flow.stat().st_mtime_ns == kept
    assert second.flow.read_bytes() == whole
    assert third.preview.exists()


def test_a_bad_video_fails_alone(tmp_path: Path, dataset: Manifest) -> None:
    one_frame, missing, good = works(tmp_path, dataset)
    write_frame_pack(one_frame.frames, moving(1, 0, 0), FRAMES)
    missing.frames.unlink()
    events = run(tmp_path, dataset)
    failed = {event.video: event for event in events if isinstance(event, VideoFailed)}
    assert set(failed) == {one_frame.name, missing.name}
    assert failed[one_frame.name].reason == "No flow: needs two frames" and failed[one_frame.name].advice
    assert "is not there" in failed[missing.name].reason
    assert not one_frame.flow.exists() and good.flow.exists()
    assert isinstance(events[-1], Finished) and events[-1].summary["videos"] == 1 and events[-1].summary["failed"] == 2


def test_a_picture_too_small_for_the_method_is_said_to_be(tmp_path: Path, dataset: Manifest) -> None:
    work = works(tmp_path, dataset, FlowSpec(method=DIS()))[0]
    write_frame_pack(work.frames, np.zeros((2, 4, 4, 3), np.uint8), FRAMES)
    error = extract_video(work).error
    assert isinstance(error, UserError) and "frame 0" in str(error) and "another flow method" in error.advice


def test_memory_holds_two_frames_at_a_time(tmp_path: Path, dataset: Manifest) -> None:
    read: list[int] = []

    class Watched(FramePack):
        def read_grey(self, indices: object) -> np.ndarray:
            read.extend(indices)  # type: ignore[arg-type]
            return super().read_grey(indices)  # type: ignore[arg-type]

    with Watched(works(tmp_path, dataset)[0].frames, FRAMES) as pack:
        fields = flow_fields(pack, build_flow(Farneback()))
        next(fields)
        assert read == [0, 1]
        next(fields)
        assert read == [0, 1, 2]


@pytest.mark.parametrize("batch_size", [2, 3, 8, 50])
def test_a_method_that_wants_batches_gets_each_pair_once(tmp_path: Path, dataset: Manifest, batch_size: int) -> None:
    sizes: list[int] = []

    def of_batch(previous: Pixels, following: Pixels) -> Floats:
        sizes.append(len(previous))
        return np.stack([previous, following], axis=1).astype(np.float32)

    with FramePack(works(tmp_path, dataset)[0].frames, FRAMES) as pack:
        grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in pack.read(range(len(pack)))]
        got = list(flow_fields(pack, FlowMethod(of_batch, batch_size)))
    assert np.array_equal(got, [np.stack(pair) for pair in pairwise(grey)])
    assert sizes == [min(batch_size, 8 - first) for first in range(0, 8, batch_size)]


def test_what_an_earlier_attempt_made_does_not_count_for_the_pace(tmp_path: Path, dataset: Manifest) -> None:
    extract_video(works(tmp_path, dataset)[1])
    *_, last, _finished = run(tmp_path, dataset)
    assert isinstance(last, Progress) and (last.done, last.kept) == (24, 8)


def test_two_videos_of_one_content_have_one_pack_that_counts_once(tmp_path: Path, dataset: Manifest) -> None:
    first, second, third = dataset.videos
    same = dataset.replace(videos=(first, second.replace(media=first.media), third))
    events = run(tmp_path, same)
    on_disk = {path: path.stat().st_size for work in works(tmp_path, same) for path in (work.flow, work.preview)}
    assert len(on_disk) == 4
    assert isinstance(events[-1], Finished)
    assert (events[-1].summary["videos"], events[-1].summary["new"], events[-1].summary["bytes"]) == (3, 2, sum(on_disk.values()))


def test_shards_share_a_dataset_among_them_and_together_make_all_of_it(tmp_path: Path) -> None:
    manifest = packed_dataset(tmp_path, 5, flow=None)
    whole = {work.flow for work in works(tmp_path, manifest)}
    for number in (1, 2):
        list(extract(tmp_path, manifest, SPEC, Stop(), 1, Shard(number, 2)))
        made = {path for path in whole if path.exists()}
        assert len(made) == (3 if number == 1 else 5)


@given(contents=st.lists(st.integers(0, 30), max_size=40), count=st.integers(1, 9))
def test_every_video_is_in_one_shard_and_those_of_one_content_are_together(contents: list[int], count: int) -> None:
    videos = [entry(number, "a", media=f"{content:064x}") for number, content in enumerate(contents)]
    shards = [Shard(number, count).of(videos) for number in range(1, count + 1)]
    assert sorted(video.key for shard in shards for video in shard) == sorted(video.key for video in videos)
    media = [{video.media for video in shard} for shard in shards]
    assert sum(map(len, media)) == len(set(contents))
    assert max(map(len, media)) - min(map(len, media)) <= 1


@pytest.mark.parametrize("text", ["", "3", "0/2", "3/2", "1/0", "-1/2", "1/2/3", "a/b"])
def test_a_shard_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadConfig, match="no part"):
        parse_shard(text)


def test_an_extraction_without_room_is_refused_before_it_starts(tmp_path: Path, dataset: Manifest, monkeypatch: pytest.MonkeyPatch) -> None:
    needed = sum(flow_bytes(SPEC, 8 * WIDTH * HEIGHT) for _ in range(3))
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=needed - 3))
    with pytest.raises(DiskFull, match="3 videos takes about"):
        run(tmp_path, dataset)
    extract_video(works(tmp_path, dataset)[0])  # what is there needs no room
    assert isinstance(run(tmp_path, dataset)[-1], Finished)


def test_the_estimate_of_room_is_near_what_real_fields_take(tmp_path: Path) -> None:
    manifest = packed_dataset(tmp_path, 1, flow=None)
    work = works(tmp_path, manifest, FLOW)[0]
    write_frame_pack(work.frames, moving(9, 1, 2, 240, 320), FRAMES.replace(short_side=240))
    work = replace(work, frame_spec=FRAMES.replace(short_side=240))
    assert 0.3 < extract_video(work).bytes / flow_bytes(FLOW, 8 * 240 * 320) < 1.3


def test_leftovers_of_a_killed_process_are_removed(tmp_path: Path, dataset: Manifest) -> None:
    work = works(tmp_path, dataset)[0]
    leftovers = [path.with_name(f".{path.name}.1.tmp") for path in (work.flow, work.preview)]
    for path in leftovers:
        path.write_bytes(b"half")
    assert extract_video(work).is_new
    assert not any(path.exists() for path in leftovers)


@pytest.mark.faults
def test_two_extractions_of_one_dataset_at_once_make_each_pack_once(tmp_path: Path) -> None:
    packed_dataset(tmp_path, 12, flow=None)
    both = [subprocess.Popen(command(tmp_path), stdout=subprocess.PIPE, text=True) for _ in range(2)]
    summaries = [json.loads(process.communicate()[0].splitlines()[-1])["summary"] for process in both]
    assert [summary["videos"] for summary in summaries] == [12, 12]
    assert sum(summary["new"] for summary in summaries) == 12


def test_a_stop_lets_the_running_videos_end_and_begins_no_other(tmp_path: Path) -> None:
    manifest = packed_dataset(tmp_path, 6, flow=None)
    stop, events = Stop(), []
    for event in extract(tmp_path, manifest, SPEC, stop, num_processes=1):
        events.append(event)
        stop.requested |= isinstance(event, VideoDone)
    assert isinstance(events[-1], Stopped) and "1 of 6 videos" in events[-1].message
    assert sum(work.flow.exists() for work in works(tmp_path, manifest)) == 1
    assert isinstance(run(tmp_path, manifest)[-1], Finished)


def test_a_dataset_without_videos_is_finished_at_once(tmp_path: Path, dataset: Manifest) -> None:
    events = run(tmp_path, dataset.replace(videos=()))
    assert isinstance(events[-1], Finished) and events[-1].summary["bytes"] == 0


def command(folder: Path) -> list[str]:
    return [sys.executable, "-m", "ml", "flow", str(folder), "--method", "farneback"]


@pytest.mark.faults
def test_killed_with_no_warning_it_goes_on_where_it_was_and_leaves_no_orphan(tmp_path: Path) -> None:
    manifest = packed_dataset(tmp_path, 48, flow=None)
    with subprocess.Popen(command(tmp_path), stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "VideoDone" in line:
                process.send_signal(signal.SIGKILL)
                break
        process.stdout.read()  # ends when the last process that holds the pipe is gone: the children die too
    assert process.returncode == -signal.SIGKILL
    flows = [work.flow for work in works(tmp_path, manifest, FLOW)]
    before = {path: path.stat().st_mtime_ns for path in flows if path.exists()}
    assert 0 < len(before) < 48
    for path in before:
        FlowPack(path, FLOW, FRAMES).close()
    again = subprocess.run(command(tmp_path), stdout=subprocess.PIPE, text=True, check=True)
    summary = json.loads(again.stdout.splitlines()[-1])["summary"]
    assert summary["videos"] == 48 and summary["new"] == 48 - len(before)
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())


@pytest.mark.faults
def test_asked_to_stop_it_says_so_and_exits_with_zero(tmp_path: Path) -> None:
    manifest = packed_dataset(tmp_path, 96, flow=None)
    with subprocess.Popen(command(tmp_path), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "VideoDone" in line and process.poll() is None and len(lines) < 4:
                os.kill(process.pid, signal.SIGTERM)
    assert process.returncode == 0 and json.loads(lines[-1])["event"] == "Stopped"
    assert not list(store_of(tmp_path, manifest).root.rglob("*.tmp"))


def _ask(*arguments: str) -> list[Event]:
    parser = ArgumentParser()
    flow_command.add_arguments(parser)
    return list(flow_command.run(parser.parse_args(arguments), Stop()))


def test_the_command_takes_a_spec_from_a_file(tmp_path: Path, dataset: Manifest) -> None:
    save_manifest(tmp_path, dataset)
    spec = FlowSpec(method=DIS(preset="fast"), encoding="bound", bound=8)
    (tmp_path / "spec.json").write_text(spec.model_dump_json())
    events = _ask(str(tmp_path), "--spec", str(tmp_path / "spec.json"), "--processes", "1")
    assert isinstance(events[-1], Finished) and events[-1].summary["spec_id"] == spec.spec_id()
    assert all(work.flow.exists() for work in works(tmp_path, dataset, spec))


def test_the_config_of_a_run_names_the_flow_that_it_sees(tmp_path: Path) -> None:
    seen, unseen = PRESETS["nfmml_temporal"].config, PRESETS["nfmml_spatial"].config
    (tmp_path / "seen.json").write_text(seen.model_dump_json())
    (tmp_path / "unseen.json").write_text(unseen.model_dump_json())
    assert flow_command.read_spec(tmp_path / "seen.json") == FlowSpec(encoding="bound", bound=20) != FlowSpec()
    with pytest.raises(BadConfig, match="is no flow spec"):
        flow_command.read_spec(tmp_path / "unseen.json")


def test_a_file_that_is_no_spec_says_where_it_goes_wrong(tmp_path: Path, dataset: Manifest) -> None:
    (tmp_path / "spec.json").write_text('{"method": {"kind": "dis", "preset": "slow"}}')
    with pytest.raises(BadConfig, match=r"method\.dis\.preset"):
        _ask(str(tmp_path), "--spec", str(tmp_path / "spec.json"))
    with pytest.raises(BadConfig, match="cannot be read"):
        _ask(str(tmp_path), "--spec", str(tmp_path / "none.json"))


def test_a_method_this_machine_lacks_fails_before_any_video(tmp_path: Path, dataset: Manifest, monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(method: Schema, device: str) -> FlowMethod:
        raise UserError("No weights here")

    monkeypatch.setattr(ml.flow.extract, "build_flow", lacking)
    with pytest.raises(UserError, match="No weights"):
        next(extract(tmp_path, dataset, FlowSpec(method=RAFT()), Stop()))


def test_the_process_that_hands_out_work_does_without_torch_where_there_is_no_gpu(tmp_path: Path, dataset: Manifest) -> None:
    save_manifest(tmp_path, dataset.replace(videos=()))
    code = f"""
import sys
import ml.flow.extract
from ml.__main__ import main
ml.flow.extract.GPU_DRIVERS = ()
assert main(["flow", {str(tmp_path)!r}, "--method", "tv_l1"]) == 0
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_the_config_knows_which_methods_run_on_torch() -> None:
    assert config_flow.ON_TORCH == ml.flow.ON_TORCH
    assert set(ml.flow.FROM_FILES) < set(ml.flow.METHODS)


def test_the_same_media_in_two_folders_is_found_where_the_manifest_says(tmp_path: Path, dataset: Manifest) -> None:
    shutil.move(tmp_path / "media", tmp_path / "elsewhere")
    moved = dataset.replace(store=str(tmp_path / "elsewhere"))
    assert isinstance(run(tmp_path / "anywhere", moved)[-1], Finished)
