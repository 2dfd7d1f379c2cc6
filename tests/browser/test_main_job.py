"""The main job as a user does it: everything launched, a zip of clips in the browser, two streams, their fusions, a corrected prediction.

`make test` does it with a few clips. `make main-job` (KINETOSCOPE_MAIN_JOB=full) does it with all 300 and prints what they got.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import watch
from tests.browser.material import REAL, Material, all_clips, few_clips, write_avi
from tests.browser.visitor import Visitor
from tests.launched import Launched
from tests.processes import until
from webapp.launcher.launcher import is_ready
from webapp.settings import UPLOAD_CHUNK_BYTES
from webapp.words import read

IS_FULL = os.environ.get("KINETOSCOPE_MAIN_JOB") == "full"
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(3 * 3600 if IS_FULL else 900)]

ADMIN = {"KINETOSCOPE_ADMIN_USER": "ada", "KINETOSCOPE_ADMIN_PASSWORD": "analytical engine"}
PROTOCOL = "5 frames × 1 crop, class probabilities averaged"
SEED = {"training.seed": "0"}


@dataclass(frozen=True)
class Plan:
    """What is filled into the forms on top of their presets; `patience` in seconds; `least`: top-1 that the fusion must reach."""

    name: str
    patience: float
    spatial: dict[str, str]
    temporal: dict[str, str]
    flow: dict[str, str]
    split: dict[str, str] = field(default_factory=dict)
    least: float = 0.0

    @property
    def flow_of_stream(self) -> dict[str, str]:
        """The same flow in the form of the temporal stream."""
        return {f"data.input.flow.flow.{name}": value for name, value in self.flow.items()}


SMALL = {"data.short_side": "72", "data.crop_size": "64", "training.batch_size": "8", "training.milestones": ""}
FEW = Plan(
    "few",
    patience=240,
    spatial={**SMALL, "training.epochs": "16"},
    temporal={**SMALL, "training.epochs": "24", "training.learning_rate": "0.01"},
    flow={"method.kind": "dis", "method.dis.preset": "ultrafast"},
)
IMAGENET = {
    "model.two_stream.backbone": "efficientnet_lite0",
    "model.two_stream.pretrained": "imagenet",
    "data.short_side": "144",
    "data.crop_size": "128",
}
TRAINING = {"training.batch_size": "16", "training.learning_rate": "0.005", "training.weight_decay": "0.0005"}
FULL = Plan(
    "full",
    patience=5400,
    spatial={"training.epochs": "8"},
    temporal={**IMAGENET, **TRAINING, "training.epochs": "8", "training.milestones": "5, 7", "data.validation_fraction": "0.1"},
    flow={"method.kind": "dis", "method.dis.preset": "medium"},
    split={"test_fraction": "0.2", "seed": "0"},
    least=0.6,
)


@pytest.fixture
def plan() -> Plan:
    if IS_FULL and not REAL.is_dir():
        pytest.skip(f"no real clips in {REAL}; KINETOSCOPE_REAL_DATA names another folder")
    return FULL if IS_FULL else FEW


@pytest.fixture
def material(plan: Plan, tmp_path: Path) -> Material:
    return all_clips() if plan is FULL else few_clips(tmp_path / "drawn")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Launched]:
    """Everything that `make run` starts, on data of its own."""
    launched = Launched(tmp_path, KINETOSCOPE_LEASE_SECONDS="30", **ADMIN)
    launched.start()
    try:
        until(lambda: is_ready(launched.url), "a site that is ready", seconds=120)
        yield launched
    finally:
        print(launched.log.read_text()[-3000:])
        launched.close()


def test_the_main_job_from_a_zip_of_clips_to_a_corrected_prediction(
    page: Page, site: Launched, plan: Plan, material: Material, tmp_path: Path
) -> None:
    visitor = Visitor(page, site.url, plan.patience)
    visitor.sign_in(*ADMIN.values())
    imports(visitor, plan, material, material.write_zip(tmp_path / "surveillance clips.zip"))
    supports = check_split(site, material)

    other = Visitor(page.context.new_page(), site.url, plan.patience)
    faults = watch(other.page)
    starts_temporal_stream_behind_its_flow(visitor, other, plan)
    starts_spatial_stream(visitor, plan)
    stops_and_resumes(other, int(plan.temporal["training.epochs"]))
    alone = [sees_results_come(one) for one in (visitor, other)]
    remembers_what_it_learned(visitor)
    assert faults == []

    fused = [fuses(visitor, name, settings, supports) for name, settings in FUSIONS.items()]
    reads_results(visitor, supports)
    predicts_corrects_and_sends(visitor, material, write_avi(material.unseen, tmp_path / "another camera.avi"))
    report(site, plan, dict(zip(("spatial", "temporal", *FUSIONS), [*alone, *fused], strict=True)), supports)
    assert fused[0] >= plan.least


def imports(visitor: Visitor, plan: Plan, material: Material, archive: Path) -> None:
    """Upload in chunks, preview, options, report, dataset."""
    page, num_videos = visitor.page, len(material.clips)
    chunks: list[str] = []
    page.on("request", lambda request: chunks.append(request.url) if request.method == "PATCH" else None)
    visitor.goes_to("Datasets")
    visitor.follows("Import videos")
    visitor.upload(archive)
    assert len(chunks) == -(-archive.stat().st_size // UPLOAD_CHUNK_BYTES)
    visitor.see("01-upload")
    visitor.press("Look at the files")
    visitor.waits_for("Recognised: CSV list")
    visitor.see("02-preview")
    assert (visitor.stat("videos"), visitor.stat("groups")) == (str(num_videos), str(len(material.groups)))
    assert visitor.table("Classes") == {label: [str(count)] for label, count in material.labels.items()}
    if not plan.split:
        assert visitor.table("Splits") == {"1": ["CSV", str(material.subsets["train"]), "0", str(material.subsets["test"])]}
    visitor.fill({"name": "Surveillance", **plan.split})
    visitor.press(f"Import {num_videos} videos")
    visitor.waits_for(f"{num_videos} videos were imported.")
    visitor.see("03-report")
    visitor.follows("Open the dataset")
    assert visitor.stat("videos") == str(num_videos)
    visitor.waits_for(page.locator("[data-chart='class-counts'] .bars .point"))
    visitor.see("04-dataset")


def check_split(site: Launched, material: Material) -> dict[str, int]:
    """The test videos of each class by name. No recording is on both sides; what the list says of subsets is what was done."""
    query = """SELECT video.path, video."group", label.name, entry.subset FROM datasets_splitentry entry
        JOIN datasets_video video ON video.id = entry.video_id JOIN datasets_label label ON label.id = video.label_id"""
    placed = {path.removeprefix("clips/"): (group, label, subset) for path, group, label, subset in site.rows(query)}
    assert {path: row[:2] for path, row in placed.items()} == {clip.path: (clip.group, clip.label) for clip in material.clips}
    sides = {side: {group for group, _label, subset in placed.values() if subset == side} for side in ("train", "test")}
    assert sides["train"] | sides["test"] == material.groups and not sides["train"] & sides["test"]
    if any(material.subsets):
        assert {path: row[2] for path, row in placed.items()} == {clip.path: clip.subset for clip in material.clips}
    tested = [label for _group, label, subset in placed.values() if subset == "test"]
    return {label: tested.count(label) for label in sorted(material.labels)}


def starts_temporal_stream_behind_its_flow(visitor: Visitor, other: Visitor, plan: Plan) -> None:
    """The form of the stream is filled in before the extraction is asked for, so that it is at work when the stream is launched."""
    other.page.goto(visitor.page.url)
    other.follows("New experiment")
    other.follows("Set up: Temporal stream, small")
    other.fill({"name": "motion", **plan.flow_of_stream, **plan.temporal, **SEED})
    other.see("05-temporal-form")
    visitor.follows("Extract flow")
    visitor.fill(plan.flow)
    visitor.see("06-flow-form")
    visitor.press("Extract")
    other.press("Launch")
    other.waits_for(other.page.locator("#run-head .badge-waiting"))
    other.see("07-waiting")
    visitor.see("08-extracting")
    run = other.page.url
    other.follows("the page of its job")
    needs = other.page.locator("dt", has_text="Needs").locator("+ dd")
    other.waits_for(needs.get_by_text("DIS flow of Surveillance"))
    other.page.goto(run)


def starts_spatial_stream(visitor: Visitor, plan: Plan) -> None:
    visitor.follows("New experiment")
    visitor.follows("Set up: Spatial stream on ImageNet features")
    visitor.fill({"name": "appearance", **plan.spatial, **SEED})
    visitor.see("09-spatial-form")
    visitor.press("Launch")
    visitor.waits_for(visitor.page.get_by_role("heading", name="appearance"))


def stops_and_resumes(visitor: Visitor, epochs: int) -> None:
    """The page follows the training by itself; what was stopped goes on where it was."""
    page = visitor.page
    visitor.follows("Curves")
    visitor.waits_for(page.locator("#curves .trace"))
    visitor.see("10-curves")
    visitor.press("Stop")
    visitor.waits_for(page.locator("#run-head .badge-stopped"))
    visitor.see("11-stopped")
    done, total = map(int, re.findall(r"\d+", page.locator("#run-head .progress").inner_text())[:2])
    assert 0 < done < total
    visitor.press("Resume")
    visitor.follows("Curves")
    page.evaluate("window.isTheSame = true")
    visitor.waits_for(page.locator("#run-head .badge-running"))
    visitor.waits_for(page.locator("#run-head .badge-done"))
    until(lambda: page.evaluate("curves.figure.data[1].x") == list(range(1, epochs + 1)), "a point for every epoch", visitor.patience)
    assert page.evaluate("window.isTheSame")
    visitor.see("12-trained")
    visitor.follows("Log")
    visitor.waits_for(page.locator("pre", has_text=re.compile(rf"Going on from step [1-9]\d*\.[\s\S]*epoch {epochs} ended")))


def sees_results_come(visitor: Visitor) -> float:
    """The test follows the training by itself; its number stands beside its protocol."""
    head = visitor.page.locator("#run-head")
    visitor.waits_for(head.get_by_text(re.compile(rf"top-1 · test · {PROTOCOL}")))
    return share(head.locator("strong").first.inner_text())


def share(text: str) -> float:
    """`62.5 %` → 0.625; `62 % 5 of 8` → 0.62"""
    return float(text.partition("%")[0].strip()) / 100


def remembers_what_it_learned(visitor: Visitor) -> None:
    """Most training videos are recognised under another protocol: what a network that learned from other labels or inputs could not do."""
    visitor.follows("Overview")
    visitor.see("13-run")
    visitor.page.get_by_text("on another subset or under another protocol").click()
    visitor.fill({"subset": "train", "frames": "3"})
    visitor.press("Evaluate")
    visitor.waits_for(visitor.page.get_by_role("heading", name="Top confusions"))
    visitor.waits_for("Protocol 3 frames × 1 crop, class probabilities averaged")
    assert share(visitor.stat("Top-1")) >= 0.75


FUSIONS = {"average": {"method": "average", "normalize": "softmax"}, "svm": {"method": "svm", "normalize": "l2"}}


def fuses(visitor: Visitor, name: str, settings: dict[str, str], supports: dict[str, int]) -> float:
    """Fuse both streams; everything on the page that can be counted is consistent. Top-1 of the fusion."""
    page = visitor.page
    visitor.goes_to("Experiments")
    visitor.follows("Fuse streams")
    for stream in ("appearance", "motion"):
        page.get_by_role("checkbox", name=re.compile(f"{stream} ·")).check()
    visitor.fill({"name": name, **settings})
    visitor.see(f"14-{name}-form")
    visitor.press("Fuse")
    visitor.waits_for(page.get_by_role("heading", name="Who is right?"))
    visitor.waits_for(page.locator("[data-cells] .main-svg"))
    visitor.see(f"15-{name}")
    assert sum(int(cells[0]) for cells in visitor.table("Who is right?").values()) == sum(supports.values())
    numbers = visitor.table("Numbers")
    assert len(numbers) == 3 and {cells[-1] for cells in numbers.values()} == {PROTOCOL.partition(",")[0]}
    assert "2 streams fused" in page.locator("main").inner_text()
    assert page.locator("[data-cells]").count() == 3
    return share(numbers["fusion"][1])


def reads_results(visitor: Visitor, supports: dict[str, int]) -> None:
    """Of the fusion: recall bars, confusion matrix, and the videos behind both."""
    page, labels = visitor.page, list(supports)
    visitor.follows("Fusion’s own results")
    visitor.waits_for(page.locator("[data-cells] .main-svg"))
    visitor.see("16-results")
    confusion = visitor.figure("confusion-figure")["data"][0]["customdata"]
    assert [sum(row) for row in confusion] == list(supports.values())
    right = sum(row[index] for index, row in enumerate(confusion))
    total = sum(supports.values())
    half_a_digit = 0.0005 if total >= 100 else 0.005
    assert share(visitor.stat("Top-1")) == pytest.approx(right / total, abs=half_a_digit + 1e-9)
    visitor.waits_for(f"{sum(supports.values())} videos of subset “test”, split")
    assert page.locator("[data-chart='recall-figure'] .bars .point").count() == len(labels)

    results = page.url
    bars = visitor.figure("recall-figure")["data"][0]
    best = max(range(len(labels)), key=lambda number: bars["x"][number])
    label = bars["customdata"][best]["name"]
    visitor.clicks_bar("recall-figure", best)
    page.wait_for_url(f"**/videos?true={labels.index(label)}")
    sees_videos(visitor, supports[label])
    visitor.see("17-videos")

    page.goto(results)
    visitor.waits_for(page.locator("[data-cells] .main-svg"))
    row, column = max(((r, c) for r in range(len(labels)) for c in range(len(labels))), key=lambda cell: confusion[cell[0]][cell[1]])
    visitor.clicks_cell(row, column)
    page.wait_for_url(f"**/videos?true={row}&predicted={column}")
    sees_videos(visitor, confusion[row][column])


def sees_videos(visitor: Visitor, count: int) -> None:
    """So many, with posters that load, and the first one plays under the pointer."""
    visitor.waits_for(re.compile(rf"^{count} videos? · {PROTOCOL}"))
    thumbs = visitor.page.locator(".thumb")
    expect(thumbs).to_have_count(min(48, count))
    thumbs.first.hover()
    playing = "() => document.querySelector('.thumb video')?.currentTime > 0"
    until(lambda: visitor.page.evaluate(playing), "a preview that plays", visitor.patience)


def predicts_corrects_and_sends(visitor: Visitor, material: Material, video: Path) -> None:
    """A video from another camera, a wrong answer put right, and the dataset has one video more."""
    page, labels = visitor.page, material.labels
    visitor.goes_to("Predict")
    visitor.upload(video)
    page.get_by_label("Predict with").select_option(label="average · Surveillance (fusion)")
    visitor.see("18-predict")
    visitor.press("Predict")
    visitor.waits_for(page.get_by_role("heading", name="What each stream says"))
    visitor.see("19-answer")
    rankings = page.locator(".ranking")
    assert rankings.count() == 3 and rankings.locator("li").count() == 3 * len(labels)
    assert all(page.get_by_role("heading", name=stream).is_visible() for stream in ("appearance", "motion"))
    shares = [share(text) for text in rankings.first.locator(".muted").all_inner_texts()]
    assert sum(shares) == pytest.approx(1, abs=0.002) and shares == sorted(shares, reverse=True)
    visitor.waits_for(re.compile(r"Answered in \d+\.\d s"))
    visitor.waits_for(re.compile(PROTOCOL))

    guess = rankings.first.locator("strong").first.inner_text()
    truth = next(label for label in labels if label != guess)
    page.get_by_label("Label").select_option(label=truth)
    visitor.press("Correct")
    visitor.waits_for(f"corrected to {truth}")
    visitor.press(f"Send to Surveillance as “{truth}”")
    visitor.waits_for(f"This video is in Surveillance now, as “{truth}”.")
    visitor.see("20-sent")
    visitor.goes_to("Datasets")
    visitor.follows("Surveillance")
    visitor.follows("Videos")
    visitor.fill({"label": str(sorted(labels).index(truth))})
    visitor.press("Filter")
    visitor.waits_for(f"{labels[truth] + 1} videos")
    visitor.page.get_by_label("Path contains").fill(video.stem)
    visitor.press("Filter")
    expect(page.locator(".thumb")).to_have_count(1)
    expect(page.locator(".thumb")).to_contain_text(truth)
    visitor.see("21-found")


def report(site: Launched, plan: Plan, top1: dict[str, float], supports: dict[str, int]) -> None:
    """What stands in docs/benchmarks.md."""
    print(f"{plan.name}: top-1, {PROTOCOL}, {sum(supports.values())} test videos {supports}")
    print("\n".join(f"  {name}: {100 * value:.1f} %" for name, value in top1.items()))
    for title, seconds in site.rows("SELECT title, (julianday(finished_at) - julianday(started_at)) * 86400 FROM jobs_job ORDER BY id"):
        print(f"  {seconds:7.1f} s  {read(title)}")
