import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import pytest

from ml.commands import ingest as command
from ml.config.data import Finding, Manifest
from ml.errors import BadArchive, BadLayout, DiskFull
from ml.events import Event, Finished, Progress, Started, Stopped, VideoDone, VideoFailed
from ml.process import Stop
from ml.video import forecast
from ml.video.archive import open_zip
from ml.video.decode import decode_frames
from ml.video.ingest import Ingest, Options
from ml.video.layouts import recognise
from ml.video.manifest import load_manifest, store_of
from ml.video.members import Members
from ml.video.pack import FramePack
from ml.video.sources import Source, open_sources
from tests.media import KINDS, draw_headless, draw_kind, draw_no_frames, draw_sound, draw_truncated, draw_video, write_playlist


def import_all(out: Path, *sources: Path, stop: Stop | None = None, **options: object) -> list[Event]:
    """What an import of `sources` into `out` tells."""
    with open_sources([Source.parse(str(source)) for source in sources]) as members:
        settings = Options(**{"name": "ds", "store": out / "media", "num_processes": 1, **options})  # type: ignore[arg-type]
        return list(Ingest(recognise(members), out, settings).run(stop or Stop()))


def zipped(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder).as_posix())
    return path


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest, list[Event]]:
    """Every kind of video, good and bad, in a zip, imported once."""
    root = tmp_path_factory.mktemp("import")
    good, bad = root / "src" / "good 好", root / "src" / "bad"
    good.mkdir(parents=True)
    bad.mkdir()
    for kind in KINDS:
        draw_kind(kind, good)
    draw_truncated(good / "cut.mp4")
    draw_video(bad / "fine.mp4", seed=9)
    (bad / "empty.mp4").write_bytes(b"")
    (bad / "text.mp4").write_text("hello")
    draw_headless(bad / "headless.mp4")
    draw_sound(bad / "sound.mp4")
    draw_no_frames(bad / "no_frames.avi")
    write_playlist(bad / "playlist.mp4", bad / "fine.mp4")
    draw_video(bad / "huge.mkv", codec="ffv1", width=8200, height=16, frames=1)
    (root / "src" / ".DS_Store").write_text("x")
    events = import_all(root / "ds", zipped(root / "src", root / "a.zip"), num_processes=2)
    return root / "ds", load_manifest(root / "ds"), events


def test_every_good_video_is_in_and_every_bad_one_is_refused_with_a_reason(imported: tuple[Path, Manifest, list[Event]]) -> None:
    _, manifest, events = imported

    assert {Path(video.path).stem for video in manifest.videos} == {*KINDS, "cut", "fine"}
    reasons = {Path(refused.path).name: refused.reason for refused in manifest.refused}
    assert set(reasons) == {"empty.mp4", "text.mp4", "headless.mp4", "sound.mp4", "no_frames.avi", "playlist.mp4", "huge.mkv"}
    assert "empty" in reasons["empty.mp4"] and "sound" in reasons["sound.mp4"] and "8200×16" in reasons["huge.mkv"]
    assert reasons["no_frames.avi"] == "No frame of it can be decoded"
    assert all(refused.advice for refused in manifest.refused)
    tried = {refused.path: refused.reason for refused in manifest.refused if "empty" not in refused.path}
    assert {event.video: event.reason for event in events if isinstance(event, VideoFailed)} == tried


def test_frames_are_counted_and_stored_in_packs_with_proxy_and_poster(imported: tuple[Path, Manifest, list[Event]]) -> None:
    folder, manifest, _ = imported
    store = store_of(folder, manifest)

    for video in manifest.videos:
        frames = list(decode_frames(store.original(video.media)))
        assert video.frames == len(frames) == len(list(decode_frames(store.proxy(video.media))))
        with FramePack(store.frames(video.media, manifest.frame_spec.spec_id()), manifest.frame_spec) as pack:
            assert len(pack) == video.frames
            assert pack.read([0])[0].shape == frames[0].shape == (video.height, video.width, 3)
        assert cv2.imread(str(store.poster(video.media))) is not None


def test_notes_say_what_is_special_about_a_video(imported: tuple[Path, Manifest, list[Event]]) -> None:
    notes = {Path(video.path).stem: " ".join(video.notes) for video in imported[1].videos}

    assert notes["one_frame"] == "one frame: no flow"
    assert notes["variable_rate"] == "variable frame rate"
    assert notes["wrong_extension"] == "called .mp4, but is .avi"
    assert notes["interlaced"] == "interlaced: each frame is woven of two moments"
    assert notes["hevc_10_bit"] == "more than 8 bits a colour: reduced to 8"
    assert notes["cut"].startswith("cut off or damaged: ") and notes["cut"].endswith(" of 60 frames could be read")
    plain = ("h264", "mpeg4_avi", "h264_in_avi", "flash", "camcorder", "vp9", "grey", "odd_sized", "coarse_colours")
    assert {kind: notes[kind] for kind in plain} == dict.fromkeys(plain, "")


def test_events_count_up_to_the_end(imported: tuple[Path, Manifest, list[Event]]) -> None:
    _, manifest, events = imported
    total = len(manifest.videos) + len(manifest.refused) - 1  # the empty file is not even tried

    assert events[0] == Started("ingest", total, "videos")
    assert [event.done for event in events if isinstance(event, Progress)] == list(range(1, total + 1))
    assert {event.video for event in events if isinstance(event, VideoDone)} == {video.key for video in manifest.videos}
    assert isinstance(events[-1], Finished)
    assert events[-1].summary["videos"] == len(manifest.videos) and events[-1].summary["refused"] == 7


def test_the_store_holds_nothing_but_accepted_content_and_no_name_of_a_user(imported: tuple[Path, Manifest, list[Event]]) -> None:
    folder, manifest, _ = imported
    media = {video.media for video in manifest.videos}

    assert {path.parent.name for path in (folder / "media").rglob("*") if path.is_file()} == media
    assert {path.name for path in (folder / "media").rglob("*") if path.is_file()} == {
        "original", "proxy.mp4", "poster.jpg", "facts.json", f"frames-{manifest.frame_spec.spec_id()}.pack",
    }  # fmt: skip
    assert {path.name for path in folder.iterdir()} == {"manifest.json", "media", ".lock"}


def test_importing_again_decodes_nothing_and_changes_nothing(tmp_path: Path) -> None:
    for name in ("run/1.mp4", "walk/2.mp4"):
        draw_video(tmp_path / "src" / name, seed=len(name))
    import_all(tmp_path / "ds", tmp_path / "src")
    before, times = snapshot(tmp_path / "ds"), [path.stat().st_mtime_ns for path in (tmp_path / "ds" / "media").rglob("*.pack")]

    import_all(tmp_path / "ds", tmp_path / "src")

    assert snapshot(tmp_path / "ds") == before
    assert [path.stat().st_mtime_ns for path in (tmp_path / "ds" / "media").rglob("*.pack")] == times


def test_a_stopped_import_says_so_and_writes_no_manifest(tmp_path: Path) -> None:
    for number in range(4):
        draw_video(tmp_path / "src" / "run" / f"{number}.mp4", seed=number)
    stop = Stop()
    stop.requested = True

    events = import_all(tmp_path / "ds", tmp_path / "src", stop=stop)

    assert isinstance(events[-1], Stopped)
    assert not (tmp_path / "ds" / "manifest.json").exists()
    assert isinstance(import_all(tmp_path / "ds", tmp_path / "src")[-1], Finished)


@pytest.mark.faults
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_an_import_that_was_killed_or_stopped_goes_on_where_it_was(number: signal.Signals, tmp_path: Path) -> None:
    for index in range(12):
        draw_video(tmp_path / "src" / ("run" if index % 2 else "walk") / f"{index}.mp4", seed=index, width=160, height=120, frames=30)
    line = [sys.executable, "-m", "ml", "ingest", str(tmp_path / "src"), "--out", str(tmp_path / "ds")]

    process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    events = []
    for text in process.stdout:
        events.append(json.loads(text))
        if len(events) == 5:
            os.kill(process.pid, number)
    code = process.wait()
    process.stdout.close()
    if number is signal.SIGTERM:
        assert code == 0 and events[-1]["event"] == "Stopped"
    assert not (tmp_path / "ds" / "manifest.json").exists()
    done = {path: path.stat().st_mtime_ns for path in (tmp_path / "ds" / "media").rglob("facts.json")}
    assert done

    last = subprocess.run(line, capture_output=True, text=True, check=True).stdout.splitlines()[-1]

    assert json.loads(last)["summary"]["videos"] == 12
    assert {path: path.stat().st_mtime_ns for path in done} == done
    assert not list((tmp_path / "ds").rglob("*.tmp"))


def test_equal_content_is_stored_once_and_told(tmp_path: Path) -> None:
    draw_video(tmp_path / "src" / "train" / "run" / "1.mp4")
    (tmp_path / "src" / "test" / "run").mkdir(parents=True)
    (tmp_path / "src" / "test" / "run" / "2.mp4").write_bytes((tmp_path / "src" / "train" / "run" / "1.mp4").read_bytes())
    draw_video(tmp_path / "src" / "test" / "walk" / "3.mp4", seed=5)

    import_all(tmp_path / "ds", tmp_path / "src")

    manifest = load_manifest(tmp_path / "ds")
    assert len(manifest.videos) == 3 and len(list((tmp_path / "ds").rglob("original"))) == 2
    copies = tuple(sorted(video.key for video in manifest.videos if video.label == "run"))
    found: dict[str, Finding] = {finding.kind: finding for finding in manifest.findings}
    assert tuple(sorted(found["duplicate"].videos)) == tuple(sorted(found["leak"].videos)) == copies
    assert "train/run/1.mp4" in found["leak"].message and "test/run/2.mp4" in found["leak"].message


def test_a_group_in_training_and_test_is_a_leak(tmp_path: Path) -> None:
    for seed, name in enumerate(("v_Run_g01_c01", "v_Run_g01_c02", "v_Walk_g01_c01")):
        draw_video(tmp_path / "src" / f"{name}.mp4", seed=seed)
    rows = "path,label,subset\nv_Run_g01_c01.mp4,Run,train\nv_Run_g01_c02.mp4,Run,test\nv_Walk_g01_c01.mp4,Walk,test\n"
    (tmp_path / "src" / "list.csv").write_text(rows)

    import_all(tmp_path / "ds", tmp_path / "src")

    leaks = [finding for finding in load_manifest(tmp_path / "ds").findings if finding.kind == "leak"]
    assert len(leaks) == 1 and "group Run_g01" in leaks[0].message and len(leaks[0].videos) == 2


def test_classes_without_a_video_are_left_out_and_told_and_one_class_is_warned_of(tmp_path: Path) -> None:
    draw_video(tmp_path / "src" / "Run" / "v_Run_g01_c01.avi", codec="mpeg4")
    (tmp_path / "src" / "Walk").mkdir()
    (tmp_path / "src" / "Walk" / "v_Walk_g01_c01.avi").write_bytes(b"broken")
    (tmp_path / "src" / "classInd.txt").write_text("1 Walk\n2 Run\n")
    (tmp_path / "src" / "trainlist01.txt").write_text("Run/v_Run_g01_c01.avi 2\nWalk/v_Walk_g01_c01.avi 1\n")

    import_all(tmp_path / "ds", tmp_path / "src")

    manifest = load_manifest(tmp_path / "ds")
    assert manifest.classes == ("Run",)
    messages = [finding.message for finding in manifest.findings]
    assert "1 of 2 classes has no video and is left out: Walk" in messages
    assert "There is one class, Run: training needs at least two classes" in messages


def test_an_import_of_nothing_usable_says_why_and_writes_no_manifest(tmp_path: Path) -> None:
    (tmp_path / "src" / "run").mkdir(parents=True)
    (tmp_path / "src" / "run" / "1.mp4").write_bytes(b"")
    with pytest.raises(BadLayout, match=r"There is no usable video; run/1\.mp4: The file is empty"):
        import_all(tmp_path / "ds", tmp_path / "src")

    (tmp_path / "src" / "readme.txt").write_text("see the video")
    (tmp_path / "src" / "run" / "1.mp4").write_bytes(b"text")
    with pytest.raises(BadLayout, match=r"The only video cannot be used; run/1\.mp4: The file is no video"):
        import_all(tmp_path / "ds", tmp_path / "src")
    assert not (tmp_path / "ds" / "manifest.json").exists()


def test_too_small_a_disk_is_told_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw_video(tmp_path / "src" / "run" / "1.mp4")
    monkeypatch.setattr(forecast, "SPARE_BYTES", 10**18)

    with pytest.raises(DiskFull, match=r"needs at least 0\.00 GB .* are free") as caught:
        import_all(tmp_path / "ds", tmp_path / "src")
    assert "Free some space" in caught.value.advice
    assert not list((tmp_path / "ds" / "media").iterdir())


def test_a_disk_that_will_not_do_is_told_from_the_first_videos_and_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        draw_video(tmp_path / "src" / "run" / f"{number}.mp4", seed=number)
    size = sum(path.stat().st_size for path in (tmp_path / "src").rglob("*.mp4"))
    disk = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(forecast, "ENOUGH_VIDEOS", 2)
    monkeypatch.setattr(forecast, "SPARE_BYTES", 0)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: disk._replace(free=size + 1))  # the files fit; their packs do not

    with pytest.raises(DiskFull, match="rest of the import will take about"):
        import_all(tmp_path / "ds", tmp_path / "src")
    done = list((tmp_path / "ds").rglob("facts.json"))
    assert 2 <= len(done) <= 3

    monkeypatch.undo()
    assert isinstance(import_all(tmp_path / "ds", tmp_path / "src")[-1], Finished)


def test_the_classes_of_a_hostile_zip_keep_their_names_and_nothing_is_written_outside(tmp_path: Path) -> None:
    video = draw_video(tmp_path / "v.mp4").read_bytes()
    names = ["<b>/1.mp4", "打架/2.mp4", "🙂 'q' \"q\"/3.mp4", "../../escape/4.mp4", "/abs/5.mp4"]
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number, name in enumerate(names):
            archive.writestr(name, video + bytes([number]))
    before = snapshot(tmp_path)

    import_all(tmp_path / "ds", tmp_path / "a.zip")

    manifest = load_manifest(tmp_path / "ds")
    assert set(manifest.classes) == {"<b>", "打架", "🙂 'q' \"q\""}
    assert {refused.path for refused in manifest.refused} == {"../../escape/4.mp4", "/abs/5.mp4"}
    assert {path: data for path, data in snapshot(tmp_path).items() if not path.startswith("ds/")} == before


def test_a_broken_zip_stops_the_import_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 and nothing more")

    with pytest.raises(BadArchive, match=r"a\.zip is damaged"), open_zip(tmp_path / "a.zip", "a.zip", Members()):
        pass


def test_a_shared_store_is_named_absolutely_and_its_content_used_again(tmp_path: Path) -> None:
    draw_video(tmp_path / "src" / "run" / "1.mp4")
    for name in ("one", "two"):
        import_all(tmp_path / name, tmp_path / "src", store=tmp_path / "store")

    manifest = load_manifest(tmp_path / "two")
    assert manifest.store == str(tmp_path / "store")
    assert store_of(tmp_path / "two", manifest).original(manifest.videos[0].media).is_file()
    assert len(list((tmp_path / "store").rglob("original"))) == 1


@pytest.mark.parametrize("arguments", [["--short-side", "7"], ["--test-fraction", "1.5"], ["--label", "x" * 300]])
def test_options_out_of_range_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)

    with pytest.raises(SystemExit):
        parser.parse_args(["src", "--out", "ds", *arguments])
    assert arguments[0] in capsys.readouterr().err


def test_a_handful_of_real_clips_is_imported_with_their_groups(real_data: Path, tmp_path: Path) -> None:
    source = real_data / "fight-surv"
    names = ["fight/fi001.mp4", "fight/fi027.mp4", "noFight/nofi001.mp4", "noFight/nofi002.mp4"]
    rows = [row for row in (source / "clips.csv").read_text().splitlines() if row.partition(",")[0] in ["path", *names]]
    with zipfile.ZipFile(tmp_path / "clips.zip", "w") as archive:
        archive.writestr("clips.csv", "\n".join(rows))
        for name in names:
            archive.write(source / name, name)

    import_all(tmp_path / "ds", tmp_path / "clips.zip")

    manifest = load_manifest(tmp_path / "ds")
    assert [video.path for video in manifest.videos] == names and manifest.classes == ("fight", "noFight")
    assert all(video.group for video in manifest.videos) and not manifest.refused
    reader = cv2.VideoCapture(str(source / names[0]))
    assert manifest.videos[0].frames == reader.get(cv2.CAP_PROP_FRAME_COUNT)
    reader.release()
