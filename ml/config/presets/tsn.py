"""Wang et al., "Temporal Segment Networks", ECCV 2016: the recipes that the authors released with their code, for UCF101.

RGB and flow are their Caffe recipes, and an epoch is 100 of their iterations; RGB difference is that of tsn-pytorch, where an epoch is
a pass over the videos. All are tested where tsn-pytorch takes its 25 frames, in the middles of 25 parts; Caffe's test begins at the first
frame and goes on by ((N − L) // 24). Deviation: frames keep their aspect ratio, theirs are warped to 340 × 256.
"""

from ml.config.data import DataConfig, FlowInput, RGBDiffInput
from ml.config.evaluation import Protocol
from ml.config.experiment import ExperimentConfig, Preset
from ml.config.flow import FlowSpec
from ml.config.models import TSN
from ml.config.training import TrainingConfig

TSN_FLOW = FlowInput(stack_len=5, mean_subtraction=False, flow=FlowSpec(encoding="bound", bound=20.0))
TSN_PROTOCOL = Protocol(frames=25, crops=10, aggregation="logits", sampling="middles")

_SOURCE = "Wang et al. 2016, Table 3, average"
_AGAIN = "reproduced by Zhi et al. 2018, Table 1"
_DATA = DataConfig(crop_policy="multiscale", validation_fraction=0)
_MOTION_DATA = _DATA.replace(smallest_window=0.75)
_RGB_TRAINING = TrainingConfig(
    epochs=35,
    steps_per_epoch=100,
    batch_size=128,
    sampling="shuffle",
    learning_rate=1e-3,
    milestones=(15, 30),
    clip_norm=40,
    bias_rate=2,
    loader_workers=8,
)

TEMPORAL_SEGMENTS: dict[str, Preset] = {
    "tsn_rgb": Preset(
        "TSN, RGB",
        "BN-Inception with ImageNet weights on 3 segments, corner crops with jittered size, dropout 0.8, 3,500 iterations of 128 videos.",
        ExperimentConfig(
            model=TSN(pretrained="imagenet", partial_norm=True, dropout=0.8),
            data=_DATA.replace(num_segments=3),
            training=_RGB_TRAINING,
            evaluation=TSN_PROTOCOL,
        ),
        source=f"{_SOURCE}: UCF101 split 1, 85.7 %; {_AGAIN}: 82.3 %",
    ),
    "tsn_flow": Preset(
        "TSN, optical flow",
        "BN-Inception with widened ImageNet weights on 3 segments of 5 flow fields, dropout 0.7, 18,000 iterations of 128 videos.",
        ExperimentConfig(
            model=TSN(pretrained="imagenet", partial_norm=True, dropout=0.7),
            data=_MOTION_DATA.replace(input=TSN_FLOW, num_segments=3),
            training=_RGB_TRAINING.replace(epochs=180, learning_rate=5e-3, milestones=(100, 160), clip_norm=20, first_layer_rate=5),
            evaluation=TSN_PROTOCOL,
        ),
        source=f"{_SOURCE}: UCF101 split 1, 87.9 %; {_AGAIN}: 83.6 %",
    ),
    "tsn_rgb_diff": Preset(
        "TSN, RGB difference",
        "BN-Inception with widened ImageNet weights on 7 segments of 5 differences of frames, 180 passes: motion without flow.",
        ExperimentConfig(
            model=TSN(pretrained="imagenet", partial_norm=True, dropout=0.8),
            data=_MOTION_DATA.replace(input=RGBDiffInput(), num_segments=7),
            training=_RGB_TRAINING.replace(epochs=180, steps_per_epoch=0, milestones=(80, 160)),
            evaluation=TSN_PROTOCOL,
        ),
        source="Wang et al. 2016, Table 2, on one segment: UCF101 split 1, 83.8 %; on 7, the authors published the recipe without a number",
    ),
}
