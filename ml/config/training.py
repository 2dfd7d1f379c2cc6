"""How a network is trained."""

from typing import Literal

from ml.config.schema import Schema, knob


class TrainingConfig(Schema):
    """SGD with momentum on a step schedule."""

    epochs: int = knob(20, "Epochs", "How long to train.", ge=1, le=10_000)
    steps_per_epoch: int = knob(
        0, "Steps per epoch", "Mini-batches in one epoch; 0 means one pass over the training videos.", ge=0, le=1_000_000, advanced=True
    )
    batch_size: int = knob(32, "Batch size", "Videos in one mini-batch.", ge=1, le=4096, unit="videos")
    sampling: Literal["uniform_classes", "shuffle", "balanced"] = knob(
        "uniform_classes",
        "Sampling",
        "Draw each batch uniformly across classes (the paper), go through a shuffled list, or take two videos or more of each class in a "
        "batch, as losses on pairs need.",
    )
    learning_rate: float = knob(0.01, "Learning rate", "Initial step size.", gt=0, le=10)
    milestones: tuple[int, ...] = knob(
        (), "Learning-rate drops", "Epochs after which the learning rate is multiplied by the drop factor, e.g. 50, 70.", unit="epochs"
    )
    gamma: float = knob(0.1, "Drop factor", "What the learning rate is multiplied with at each drop.", gt=0, le=1, advanced=True)
    momentum: float = knob(0.9, "Momentum", "Momentum of SGD.", ge=0, lt=1, advanced=True)
    bias_rate: float = knob(
        1.0, "Rate of biases", "Multiple of the learning rate at which biases learn; TSN's authors take 2.", ge=0, le=100, advanced=True
    )
    first_layer_rate: float = knob(
        1.0,
        "Rate of the first layer",
        "Multiple of the learning rate at which the first convolution learns; TSN's authors take 5 for flow, which its filters, widened "
        "from RGB's, have yet to know.",
        ge=0,
        le=100,
        advanced=True,
    )
    weight_decay: float = knob(5e-4, "Weight decay", "L2 penalty on the weights.", ge=0, le=1)
    clip_norm: float = knob(0.0, "Gradient clipping", "Largest global gradient norm; 0 means no clipping.", ge=0, le=1000, advanced=True)
    micro_batch: int = knob(
        0,
        "Videos at once",
        "Most videos that are on one device at a time; gradients of the parts add up to those of the whole batch, only batch "
        "normalisation sees each part for itself. 0: the whole batch.",
        ge=0,
        le=4096,
        unit="videos",
        advanced=True,
    )
    devices: int = knob(
        1,
        "Devices",
        "GPUs, or processes where there is none, that share each batch. Batch normalisation sees the whole batch on GPUs, its own share "
        "in processes.",
        ge=1,
        le=16,
        advanced=True,
    )
    precision: Literal["float32", "bfloat16", "float16"] = knob(
        "float32",
        "Precision",
        "Of the layers that bear it; weights and losses stay float32. bfloat16 is faster on recent GPUs, float16 on older ones.",
        advanced=True,
    )
    channels_last: bool = knob(
        False,
        "Channels last",
        "Keep images with their channels innermost: often faster for convolutions in half precision on a GPU.",
        advanced=True,
    )
    compile: bool = knob(
        False,
        "Compile",
        "Let torch.compile fuse the network's operations; costs minutes before the first step and needs a C++ compiler.",
        advanced=True,
    )
    init_run: str = knob(
        "",
        "Start from a run",
        "Folder of a finished run with the same network and input: its weights are taken, but for the last layer (fine-tuning).",
    )
    seed: int = knob(0, "Seed", "Same seed, same machine: same numbers.", ge=0, le=2**31 - 1)
    loader_workers: int = knob(
        0,
        "Loader processes",
        "Processes per device that read and crop beside the training; 0 reads in the training process.",
        ge=0,
        le=64,
        advanced=True,
    )
    device: Literal["auto", "cpu", "cuda"] = knob("auto", "Device", "Where to train; automatic takes a GPU when there is one.")
