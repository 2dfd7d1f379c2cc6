"""A video that no dataset knows gets the scores that it would get in one."""

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

from ml.__main__ import main, parser_of
from ml.commands import fuse, predict
from ml.config.data import FlowInput, FrameSpec, RGBDiffInput
from ml.config.evaluation import FusionConfig, Protocol
from ml.config.flow import DIS, FlowSpec
from ml.config.models import TSN
from ml.errors import BadCheckpoint, BadConfig, BadScores, BadVideo
from ml.evaluation.scores import Scores, softmax
from ml.events import Finished, Progress, Result
from ml.experiment import train
from ml.flow import build_flow
from ml.flow.extract import flow_fields
from ml.prediction.packs import FlowOnDemand
from ml.prediction.predictor import predict as answers
from ml.prediction.source import load_source
from ml.process import Stop
from ml.trained import load_run
from ml.video.dataset import read_views
from ml.video.decode import decode_frames
from ml.video.pack import FlowPack, FramePack, write_flow_pack, write_frame_pack
from tests.media import KINDS, draw_kind, draw_video
from tests.ml.run_data import CLASSES, SPEC, spatial, temporal, write_dataset
from tests.ml.scores_by_hand import made_up


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A spatial and a temporal run."""
    folder = tmp_path_factory.mktemp("predicting")
    dataset = write_dataset(folder / "data")
    for name, config in (("rgb", spatial(dataset, epochs=1)), ("flow", temporal(dataset))):
        for _ in train(config.replace(evaluation=Protocol(frames=3, crops=1)), folder / name, Stop()):
            pass
    return folder / "rgb", folder / "flow"


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_video(tmp_path_factory.mktemp("videos") / "a.mp4", frames=9)


def answered(source: Path, video: Path, *given: str) -> dict[str, object]:
    args = parser_of("predict", predict).parse_args([str(source), str(video), *given])
    *_, result, finished = predict.run(args, Stop())
    assert isinstance(result, Result) and isinstance(finished, Finished)
    return result.data


def scores_of(run: Path, seed: int, modality: str, first: int = 0) -> Scores:
    """Made-up scores on twelve videos, as `evaluate` would have written them for this run."""
    about: dict[str, Any] = {"run": str(run), "protocol": Protocol(frames=3, crops=1).model_dump(mode="json"), "modality": modality}
    made = made_up(12, 2, seed=seed, first=first, **about)
    return Scores(made.scores, made.labels, made.videos, made.groups, np.array(CLASSES), made.about)


def fusion_of(runs: tuple[Path, Path], out: Path, *given: str) -> Path:
    """An SVM is fitted on scores of other videos."""
    files: dict[str, list[Path]] = {"test": [], "fit": []}
    for seed, (run, modality) in enumerate(zip(runs, ("rgb", "flow"), strict=True)):
        for first, (kind, paths) in enumerate(files.items()):
            paths.append(out / f"{modality}-{kind}.npz")
            scores_of(run, seed, modality, first=100 * first).save(paths[-1])
    fit = ("--fit", *map(str, files["fit"])) if "svm" in given else ()
    args = parser_of("fuse", fuse).parse_args([*map(str, files["test"]), *given, *fit, "--out", str(out / "fusion")])
    for _ in fuse.run(args, Stop()):
        pass
    return out / "fusion" / "scores.npz"


def test_the_spatial_stream_says_what_it_says_of_the_same_frames_in_a_dataset(runs: tuple[Path, Path], video: Path, tmp_path: Path) -> None:
    write_frame_pack(tmp_path / "f.pack", decode_frames(video), SPEC)
    run = load_run(runs[0])
    with FramePack(tmp_path / "f.pack", SPEC) as pack:
        views = read_views(pack, None, run.config.data, Protocol(frames=3, crops=1))  # type: ignore[arg-type]  # a pack needs no entry
    with torch.inference_mode():
        expected = torch.softmax(run.model(torch.from_numpy(views)), dim=1).mean(dim=0)
    top = answered(runs[0], video)["top"]
    assert isinstance(top, list)
    assert dict(top) == pytest.approx(dict(zip(CLASSES, expected.tolist(), strict=True)), abs=1e-5)


def test_a_stream_of_differences_trains_and_predicts_from_frames_alone(video: Path, tmp_path: Path) -> None:
    config = spatial(write_dataset(tmp_path / "data"), epochs=1)
    seen = RGBDiffInput(stack_len=2)
    config = config.replace(data=config.data.replace(input=seen), evaluation=Protocol(frames=3, crops=10))
    list(train(config, tmp_path / "run", Stop()))
    write_frame_pack(tmp_path / "f.pack", decode_frames(video), SPEC)
    run = load_run(tmp_path / "run")
    with FramePack(tmp_path / "f.pack", SPEC) as pack:
        views = read_views(pack, None, run.config.data, run.config.evaluation)  # type: ignore[arg-type]  # a pack needs no entry
    with torch.inference_mode():
        expected = torch.softmax(run.model(torch.from_numpy(views)), dim=1).mean(dim=0)
    answer = answered(tmp_path / "run", video)
    assert views.shape == (30, 6, 32, 32)
    assert dict(load_top(answer)) == pytest.approx(dict(zip(CLASSES, expected.tolist(), strict=True)), abs=1e-5)
    assert isinstance(answer["streams"], list) and answer["streams"][0]["modality"] == "rgb_diff"


def test_views_are_grouped_into_videos_of_segments_as_in_a_test(video: Path, tmp_path: Path) -> None:
    config = spatial(write_dataset(tmp_path / "data"), epochs=1, steps_per_epoch=1)
    data = config.data.replace(num_segments=3, validation_fraction=0)
    config = config.replace(model=TSN(backbone="resnet10t", consensus="max"), data=data, evaluation=Protocol(frames=6, crops=5))
    list(train(config, tmp_path / "run", Stop()))
    write_frame_pack(tmp_path / "f.pack", decode_frames(video), SPEC)
    run = load_run(tmp_path / "run")
    with FramePack(tmp_path / "f.pack", SPEC) as pack:
        views = torch.from_numpy(read_views(pack, None, data, config.evaluation)).view(6, 5, 3, 32, 32)  # type: ignore[arg-type]
    with torch.inference_mode():
        scores = torch.cat([run.model(views[first::2, crop][None]) for first in (0, 1) for crop in range(5)])  # views 0, 2, 4 and 1, 3, 5
    answer = answered(tmp_path / "run", video)
    assert dict(load_top(answer)) == pytest.approx(dict(zip(CLASSES, torch.softmax(scores, 1).mean(0).tolist(), strict=True)), abs=1e-5)
    assert str(answer["protocol"]).endswith("; views grouped into videos of 3 segments")


def test_the_answer_tells_protocol_video_and_time(runs: tuple[Path, Path], video: Path) -> None:
    answer = json.loads(json.dumps(answered(runs[0], video)))
    assert answer["protocol"] == "3 frames × 1 crop, class probabilities averaged"
    assert answer["streams"] == [{"name": "rgb", "modality": "rgb", "top": answer["top"]}]
    facts = answer["video"]
    assert (facts["frames"], facts["fps"], facts["width"], facts["height"], facts["codec"]) == (9, 25, 64, 48, "h264")
    assert facts["duration_seconds"] == pytest.approx(9 / 25, abs=0.01) and facts["notes"] == []
    assert answer["seconds"]["total"] >= answer["seconds"]["reading"] > 0


def test_the_shares_of_all_classes_sum_to_one_and_the_likeliest_is_first(runs: tuple[Path, Path], video: Path) -> None:
    shares = [share for _, share in load_top(answered(runs[0], video))]
    assert sum(shares) == pytest.approx(1) and shares == sorted(shares, reverse=True)
    assert len(load_top(answered(runs[0], video, "--top", "1"))) == 1


def load_top(answer: dict[str, object]) -> list[tuple[str, float]]:
    top = answer["top"]
    assert isinstance(top, list)
    return [(name, share) for name, share in top]


def test_another_protocol_may_be_asked_for(runs: tuple[Path, Path], video: Path) -> None:
    assert answered(runs[0], video, "--protocol", "2x10:logits")["protocol"] == "2 frames × 10 crops, scores before softmax averaged"
    with pytest.raises(BadConfig, match="not a protocol"):
        answered(runs[0], video, "--protocol", "many")


def test_flow_on_demand_is_the_stored_flow_bit_for_bit(video: Path, tmp_path: Path) -> None:
    spec, seen = FrameSpec(short_side=32), FlowInput(stack_len=2, flow=FlowSpec(method=DIS()))
    write_frame_pack(tmp_path / "f.pack", decode_frames(video), spec)
    with FramePack(tmp_path / "f.pack", spec) as frames:
        write_flow_pack(tmp_path / "flow.pack", flow_fields(frames, build_flow(DIS())), seen.flow, spec)
        with FlowPack(tmp_path / "flow.pack", seen.flow, spec) as stored, FlowOnDemand(frames, spec, seen.flow, tmp_path) as fresh:
            assert len(fresh) == len(stored) == 8
            for indices in ([3, 4], [4, 5], [0, 0, 7]):
                np.testing.assert_array_equal(fresh.read(indices), stored.read(indices))
    assert {path.name for path in tmp_path.iterdir()} == {"f.pack", "flow.pack"}


@pytest.mark.parametrize("method", ["average", "weighted", "svm"])
def test_a_fusion_asks_every_stream_and_fuses_as_its_file_says(runs: tuple[Path, Path], video: Path, tmp_path: Path, method: str) -> None:
    weights = ("--weights", "1", "3") if method == "weighted" else ()
    fusion = fusion_of(runs, tmp_path, "--method", method, *weights)
    answer = answered(fusion, video)
    alone = [dict(load_top(answered(run, video))) for run in runs]
    streams = answer["streams"]
    assert isinstance(streams, list) and [stream["modality"] for stream in streams] == ["rgb", "flow"]
    assert [dict(stream["top"]) for stream in streams] == [pytest.approx(each, abs=1e-5) for each in alone]
    if method == "svm":
        assert "softmax of the SVM's margins" in str(answer["protocol"])
        p = np.array([[each[name] for name in CLASSES] for each in alone])
        unit = p / np.linalg.norm(p, axis=1, keepdims=True)
        arrays = Scores.load(fusion).arrays
        expected = softmax(unit.reshape(-1) @ arrays["svm_weights"].T + arrays["svm_bias"])
    else:
        a, b = (1, 1) if method == "average" else (1, 3)
        expected = np.array([(a * alone[0][name] + b * alone[1][name]) / (a + b) for name in CLASSES])
    assert dict(load_top(answer)) == pytest.approx(dict(zip(CLASSES, expected, strict=True)), abs=1e-5)


def test_a_fusions_folder_is_as_good_as_its_file_and_moved_runs_can_be_named(runs: tuple[Path, Path], video: Path, tmp_path: Path) -> None:
    gone = (tmp_path / "gone" / "rgb", tmp_path / "gone" / "flow")
    fusion = fusion_of(gone, tmp_path)
    with pytest.raises(BadCheckpoint, match="gone/rgb"):
        answered(fusion.parent, video)
    with pytest.raises(BadConfig, match="1 runs for a fusion of 2"):
        answered(fusion.parent, video, "--runs", str(runs[0]))
    assert load_top(answered(fusion.parent, video, "--runs", *map(str, runs)))


def test_scores_of_one_run_are_no_fusion(runs: tuple[Path, Path], tmp_path: Path) -> None:
    scores_of(runs[0], 0, "rgb").save(tmp_path / "a.npz")
    with pytest.raises(BadScores, match="not a fusion"):
        load_source(tmp_path / "a.npz")


def test_a_fusion_of_other_classes_than_its_runs_is_refused(runs: tuple[Path, Path], tmp_path: Path) -> None:
    path = fusion_of(runs, tmp_path)
    scores = Scores.load(path)
    Scores(scores.scores, scores.labels, scores.videos, scores.groups, np.array(["up", "down"]), scores.about).save(path)
    with pytest.raises(BadCheckpoint, match="other classes"):
        load_source(path)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "one_frame"])
def test_every_format_of_the_import_is_predicted_too(runs: tuple[Path, Path], tmp_path: Path, kind: str) -> None:
    *_, last = list(answers(load_source(runs[0]), draw_kind(kind, tmp_path)))
    assert isinstance(last, Progress) and last.done == last.total


def test_one_frame_is_enough_for_rgb_and_too_little_for_motion(runs: tuple[Path, Path], tmp_path: Path) -> None:
    video = draw_kind("one_frame", tmp_path)
    assert load_top(answered(runs[0], video))
    with pytest.raises(BadVideo, match=r"one_frame\.mp4: The video has one frame; motion needs two"):
        answered(runs[1], video)


def test_a_bad_video_is_named(runs: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("no video")
    with pytest.raises(BadVideo, match=r"notes\.mp4: "):
        answered(runs[0], tmp_path / "notes.mp4")
    (tmp_path / "notes.mp4").rename(tmp_path / "1f07665c")
    with pytest.raises(BadVideo, match=r"^clip\.mp4: "):
        answered(runs[0], Path(f"{tmp_path / '1f07665c'}::clip.mp4"))


def test_what_a_page_plays_is_written_when_asked_for(runs: tuple[Path, Path], tmp_path: Path) -> None:
    answered(runs[0], draw_kind("mpeg4_avi", tmp_path), "--out", str(tmp_path / "out"))
    with av.open(str(tmp_path / "out" / "proxy.mp4")) as proxy:
        assert proxy.streams.video[0].codec_context.name == "h264"
    assert (tmp_path / "out" / "poster.jpg").read_bytes().startswith(b"\xff\xd8")


def test_arguments_of_the_fusion_command_become_its_config() -> None:
    def config(*given: str) -> FusionConfig:
        args: Namespace = parser_of("fuse", fuse).parse_args(["a.npz", "b.npz", *given, "--out", "f.npz"])
        return fuse.config_of(args)

    assert config() == FusionConfig()
    assert config("--method", "svm", "--svm-c", "2") == FusionConfig(method="svm", normalize="l2", svm_c=2)
    assert config("--method", "weighted", "--weights", "1,1.5") == config("--method", "weighted", "--weights", "1", "1.5")
    for wrong in (["--weights", "x"], ["--weights", "inf", "1"], ["--svm-c", "0"], ["--fit", "c.npz"]):
        with pytest.raises(BadConfig):
            config(*wrong)


@pytest.mark.parametrize("top", ["0", "-3"])
def test_no_class_at_all_is_wrong_usage(top: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["predict", "run", "video.mp4", "--top", top])
    assert f"{top} is not one or more" in capsys.readouterr().err
