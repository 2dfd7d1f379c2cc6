"""How the values of schemas are called on our pages; a value without a name here gets one made from itself."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from webapp.metrics import TITLES

NAMES: dict[Any, str | Promise] = {
    "rgb": _("RGB frames"),
    "flow": _("Optical flow"),
    "rgb_diff": _("RGB differences"),
    "rgb_stack": _("Stack of RGB frames"),
    "tv_l1": "TV-L1",
    "farneback": "Farnebäck",
    "dis": "DIS",
    "brox": "Brox",
    "raft": "RAFT",
    "opencv_cpu": _("OpenCV's CPU version"),
    "opencv_cuda": _("OpenCV's CUDA version"),
    "range": _("Each field's own range"),
    "bound": _("One fixed bound"),
    "cnn_m_2048": "CNN-M-2048",
    "bn_inception": "BN-Inception",
    "vgg16": "VGG-16",
    "resnet10t": "ResNet-10-T",
    "resnet18": "ResNet-18",
    "resnet50": "ResNet-50",
    "efficientnet_lite0": "EfficientNet-Lite0",
    "none": _("None"),
    "imagenet": "ImageNet",
    "all": _("All layers"),
    "last_layer": _("Last layer only"),
    "uniform_classes": _("Uniform across classes"),
    "shuffle": _("Shuffled list"),
    "balanced": _("Two or more of each class"),
    "ultrafast": _("Ultrafast"),
    "fast": _("Fast"),
    "trajectory": _("Trajectory"),
    "small": _("Small"),
    "large": _("Large"),
    "medium": _("Medium"),
    "auto": _("Automatic"),
    "cpu": "CPU",
    "cuda": _("GPU (CUDA)"),
    "softmax": _("Class probabilities (softmax)"),
    "logits": _("Scores before softmax"),
    "spread": _("From the first to the last"),
    "middles": _("Middles of equal parts"),
    "l2": _("L2-normalised probabilities"),
    "average": _("Average"),
    "weighted": _("Weighted sum"),
    "svm": _("Linear SVM"),
    "validation_scores": _("validation scores"),
    "held_out_folds": _("held-out folds"),
    "training_scores": _("training scores"),
    "two_stream": _("Two-stream network"),
    "slow_fusion": _("Slow fusion of frames"),
    "tsn": _("Temporal segment network (TSN)"),
    "nfmml": _("TSN with metric learning (NFMML)"),
    "classification": _("Classification"),
    "metric": _("Metric loss"),
    "lifted_structure": _("Lifted structured loss"),
    "triplet": _("Triplet loss"),
    "sup_con": _("Supervised contrastive loss"),
    "proxy_anchor": _("Proxy anchor loss"),
    "arc_face": "ArcFace",
    "constant": _("Constant"),
    "exp": _("Exponential"),
    "log": _("Logarithm"),
    "ratio": _("Ratio"),
    "paper": _("Of the paper"),
    "full": _("Full"),
    "max": _("Maximum"),
    "convolution": _("Convolution over time"),
    "xavier": "Xavier",
    "gaussian": _("Gaussian"),
    "semihard": _("Semi-hard"),
    "hard": _("Hard"),
    "both": _("Both"),
    "anywhere": _("Anywhere"),
    "corners": _("Corners and centre"),
    "multiscale": _("13 places, jittered size"),
    "train": _("training"),
    "validation": _("validation"),
    "test": _("test"),
    "official": _("official"),
    "csv": "CSV",
    "folder": _("folders"),
    "generated": _("generated"),
    "dataset": _("Dataset"),
    "snapshot": _("Snapshot of the dataset"),
    "frame_spec": _("Stored frames"),
    "split": _("Split"),
    "seed": _("Seed"),
    "parameters": _("Parameters"),
    "versions": _("Versions"),
    "commit": _("Commit"),
    "weights": _("Trained weights"),
    "device": _("Device"),
    "also": _("Further datasets"),
    "modality": _("Modality"),
    "kind": _("Kind"),
    "train_videos": _("Training videos"),
    "validation_videos": _("Validation videos"),
    "summary": _("Summary"),
    **TITLES,
    "map_raw": _("mAP, ranked by score"),
    "map_voc2007_raw": _("mAP VOC 2007, ranked by score"),
    "map_voc2010_raw": _("mAP VOC 2010, ranked by score"),
    "recall": _("Recall"),
    "precision": _("Precision"),
}

MODALITIES: dict[str, str | Promise] = {"rgb": "RGB", "flow": _("flow"), "rgb_diff": _("RGB difference"), "rgb_stack": _("RGB stack")}
"""What a stream sees, in a word."""

NUMBER_NAMES: dict[str, dict[object, str | Promise]] = {
    "Crops": {1: _("1: centre"), 5: _("5: corners and centre"), 10: _("10: corners and centre, mirrored too"), 0: _("none: whole frames")},
}
"""What a number means, by the title of its knob."""


def name_of(value: object, title: str = "") -> str | Promise:
    """A readable name: `last_layer` → “Last layer only”. A number has one where the knob of that title gives it one."""
    if isinstance(value, int):
        return NUMBER_NAMES.get(title, {}).get(value) or str(value)
    return NAMES.get(value) or str(value).replace("_", " ").capitalize()
