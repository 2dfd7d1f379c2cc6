"""The demo dataset: 3 appearances × 3 motions, drawn so that neither stream of a two-stream network can do without the other.

* An appearance is a chroma, constant over the shape. Luma is drawn without knowing it, so grey-level flow cannot tell it.
* A motion leaves no trace in a single frame: at every moment of every motion the position is uniform on a square and the
  orientation uniform on the circle; only how they go on differs. Speeds come from one distribution. Every frame is coded
  alone, because what H.264 loses when it predicts a frame from others tells how the shape moved.
* Both are crossed: either stream alone gets one class in three right, the two together all of them.

Videos of one group share background, texture and sizes, as clips cut from one recording would. A group spans all classes, which file
names cannot say, so `clips.csv` says it: a split by any other rule would let a network know a test video by its background.
"""

import csv
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ml.process import atomic_path
from ml.video.arrays import Floats, Pixels
from ml.video.mp4 import EACH_FRAME_ALONE, write_mp4

SIDE = 112  # px
NUM_FRAMES = 28
FPS = 20
REACH = 20.0  # px the centre of a shape may be away from the picture's, in x and in y
SPEEDS = (2.4, 3.6)  # px/frame
BRIGHTEST = 176  # luma that every chroma below leaves room for
_GROUP, _CLIP = 1, 2  # independent streams of random numbers


@dataclass(frozen=True)
class Appearance:
    """Chroma of a shape: Cb and Cr of BT.601, around 0."""

    name: str
    cb: float
    cr: float


APPEARANCES = (Appearance("amber", -58, 40), Appearance("jade", 4, -50), Appearance("violet", 38, 20))
GROUND = Appearance("slate", 9, -4)


@dataclass(frozen=True)
class Pose:
    """Where a shape is: px from the picture's centre, and radians."""

    x: float
    y: float
    angle: float


def sway(start: Pose, travelled: float, lever: float) -> Pose:  # noqa: ARG001 - the signature of every motion
    """Left and right."""
    return Pose(fold(start.x + travelled), start.y, start.angle)


def bounce(start: Pose, travelled: float, lever: float) -> Pose:  # noqa: ARG001
    """Up and down."""
    return Pose(start.x, fold(start.y + travelled), start.angle)


def spin(start: Pose, travelled: float, lever: float) -> Pose:
    """In place; a point `lever` px from the centre goes as far as in the other motions."""
    return Pose(start.x, start.y, start.angle + travelled / lever)


MOTIONS: dict[str, Callable[[Pose, float, float], Pose]] = {"sway": sway, "bounce": bounce, "spin": spin}


def fold(position: float) -> float:
    """A position that goes on for ever → one that turns back at ±REACH; uniform stays uniform."""
    return REACH - abs((position + REACH) % (4 * REACH) - 2 * REACH)


@dataclass(frozen=True)
class Clip:
    """One video of the dataset: its class, its group, its number, and the dataset's seed."""

    appearance: Appearance
    motion: str
    group: int
    number: int
    seed: int

    @property
    def label(self) -> str:
        return f"{self.appearance.name}_{self.motion}"

    @property
    def path(self) -> str:
        """`amber_sway/v_AmberSway_g01_c01.mp4`"""
        return f"{self.label}/v_{self.appearance.name.title()}{self.motion.title()}_g{self.group:02}_c{self.number:02}.mp4"

    def generator(self) -> np.random.Generator:
        """Everything random of this clip."""
        kind = (APPEARANCES.index(self.appearance), list(MOTIONS).index(self.motion))
        return np.random.default_rng((_CLIP, self.seed, self.group, self.number, *kind))


def clips(num_groups: int, clips_per_group: int, seed: int) -> list[Clip]:
    """Every clip of a dataset, class by class."""
    return [
        Clip(appearance, motion, group, number, seed)
        for appearance in APPEARANCES
        for motion in MOTIONS
        for group in range(1, num_groups + 1)
        for number in range(1, clips_per_group + 1)
    ]


def write_clip(clip: Clip, out: Path) -> int:
    """Draw one clip as mp4; bytes."""
    frames = draw(clip.appearance, clip.motion, scene_of(clip.group, clip.seed), clip.generator())
    return write_mp4(out / clip.path, frames, FPS, EACH_FRAME_ALONE)


def write_list(drawn: Sequence[Clip], out: Path) -> None:
    """`clips.csv`: path, label and group of every clip."""
    with atomic_path(out / "clips.csv") as temporary, temporary.open("w", newline="", encoding="utf-8") as handle:
        rows = csv.writer(handle)
        rows.writerow(("path", "label", "group"))
        rows.writerows((clip.path, clip.label, f"g{clip.group:02}") for clip in drawn)


def draw(appearance: Appearance, motion: str, scene: "Scene", generator: np.random.Generator) -> Iterator[Pixels]:
    """NUM_FRAMES frames (SIDE, SIDE, 3) uint8 RGB."""
    shape = random_shape(scene, generator)
    for pose in poses(motion, shape.lever, generator):
        luma, tint = render(scene, shape, pose)
        yield colored(luma, tint, appearance)


def poses(motion: str, lever: float, generator: np.random.Generator) -> list[Pose]:
    """NUM_FRAMES poses; where and when a motion starts, how fast and which way it goes is random."""
    start = Pose(generator.uniform(-REACH, REACH), generator.uniform(-REACH, REACH), generator.uniform(0, 2 * np.pi))
    speed = generator.uniform(*SPEEDS) * (1 if generator.random() < 0.5 else -1)
    return [MOTIONS[motion](start, speed * t, lever) for t in range(NUM_FRAMES)]


@dataclass(frozen=True)
class Scene:
    """What the clips of one group share; luma in 0..255, (SIDE, SIDE)."""

    ground: Floats
    texture: Floats
    radius: float


def scene_of(group: int, seed: int) -> Scene:
    """The scene of a group."""
    generator = np.random.default_rng((_GROUP, seed, group))
    slope = np.linspace(12, -12, SIDE)[:, None]
    ground = 62 + slope + 13 * blobs(generator, 9) + 5 * blobs(generator, 2)
    texture = 148 + 24 * blobs(generator, generator.uniform(3.5, 6)) + 10 * stripes(generator)
    return Scene(ground.clip(30, 100).astype(np.float32), texture.clip(112, BRIGHTEST).astype(np.float32), generator.uniform(22, 27))


def blobs(generator: np.random.Generator, width: float) -> Floats:
    """Smooth noise in -1..1, with spots about `width` px wide."""
    noise = cv2.GaussianBlur(generator.normal(size=(SIDE, SIDE)), (0, 0), width)
    return np.asarray(np.tanh(noise / noise.std()), np.float32)


def stripes(generator: np.random.Generator) -> Floats:
    """A wave in -1..1 in a random direction."""
    direction, length = generator.uniform(0, np.pi), generator.uniform(9, 14)
    across = _X * np.cos(direction) + _Y * np.sin(direction)
    return np.asarray(np.sin(2 * np.pi * across / length), np.float32)


_Y, _X = (np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2).astype(np.float32)  # px from the centre


@dataclass(frozen=True)
class Shape:
    """A flower: radius(φ) = radius (1 + depth cos(petals φ))."""

    radius: float
    petals: int
    depth: float

    @property
    def lever(self) -> float:
        """Mean distance of its points from the centre, px."""
        return self.radius * 2 / 3

    def inside(self, u: Floats, v: Floats) -> Floats:
        """How far inside the outline a point lies, px; negative outside. u, v from the shape's centre, along its axes."""
        outline = self.radius * (1 + self.depth * np.cos(self.petals * np.arctan2(v, u)))
        return np.asarray(outline - np.hypot(u, v), np.float32)


def random_shape(scene: Scene, generator: np.random.Generator) -> Shape:
    """One of the shapes, in about the group's size."""
    petals, depth = ((3, 0.16), (4, 0.13), (5, 0.15), (6, 0.11))[generator.integers(4)]
    return Shape(scene.radius * generator.uniform(0.93, 1.07), petals, depth)


def render(scene: Scene, shape: Shape, pose: Pose) -> tuple[Floats, Floats]:
    """Luma 0..255 and how far the shape's colour shows, 0..1, (SIDE, SIDE) each: a textured shape with a light rim and a soft shadow.

    The colour begins inside the outline: spread over the dark ground, as halved chroma would be, it could not be shown and change luma.
    """
    x, y = _X - pose.x, _Y - pose.y
    cos, sin = math.cos(pose.angle), math.sin(pose.angle)
    u, v = cos * x + sin * y, cos * y - sin * x
    inside = shape.inside(u, v)
    coverage = (inside + 0.5).clip(0, 1)
    centre = (SIDE - 1) / 2
    texture = cv2.remap(scene.texture, u + centre, v + centre, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    body = np.minimum(texture + 16 * np.exp(-(((inside - 1.5) / 1.5) ** 2)), BRIGHTEST)
    shadow = cv2.GaussianBlur(np.roll(coverage, (4, 3), (0, 1)), (0, 0), 4)
    return np.asarray(scene.ground * (1 - 0.5 * shadow) * (1 - coverage) + body * coverage, np.float32), (inside / 3).clip(0, 1)


def colored(luma: Floats, tint: Floats, appearance: Appearance) -> Pixels:
    """BT.601: luma with the shape's chroma where it shows, the ground's elsewhere; no value is clipped, so luma survives exactly."""
    cb = GROUND.cb + (appearance.cb - GROUND.cb) * tint
    cr = GROUND.cr + (appearance.cr - GROUND.cr) * tint
    rgb = np.stack([luma + 1.402 * cr, luma - 0.344136 * cb - 0.714136 * cr, luma + 1.772 * cb], axis=-1)
    return np.asarray(np.rint(rgb).clip(0, 255), np.uint8)
