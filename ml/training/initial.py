"""A run that starts from the weights of another one: fine-tuning on a second dataset (Simonyan & Zisserman 2014, Table 2)."""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from ml.backbones.weights import compare
from ml.errors import MissingWeights

OF_CLASSES = ("classifier.", "metric_loss.")
"""What belongs to the classes that a run learnt: the last layer, and what a metric loss knows of each class."""

ADVICE = "Choose a finished run with the same network and the same input."


def start_from(model: nn.Module, run: Path) -> str:
    """Copy the weights of a finished run but for those of its classes; a sentence that says what was taken.

    Raises:
        MissingWeights: the run has not finished, or it is of another network or another input.
    """
    try:
        state = load_file(run / "model.safetensors")
    except (FileNotFoundError, SafetensorError) as error:
        raise MissingWeights("{run} holds no weights to start from: {problem}", ADVICE, run=run, problem=error) from error
    taken = {name: tensor for name, tensor in state.items() if not name.startswith(OF_CLASSES)}
    found = compare(model, taken)
    missing = [name for name in found.missing if not name.startswith(OF_CLASSES)]
    if missing or found.shapes or not found.loaded:
        different = [*missing, *(f"{name} {theirs} for {ours}" for name, theirs, ours in found.shapes)]
        raise MissingWeights(
            "The weights in {run} do not fit this network: {differences}", ADVICE, run=run, differences=", ".join(different[:5])
        )
    model.load_state_dict(taken, strict=False)
    kept = [name for name in model.state_dict() if name not in taken]
    unused = [name for name in state if name not in taken or name in found.unexpected]
    return f"Started from {run}: {found.loaded} tensors taken; new here: {', '.join(kept)}; left there: {', '.join(unused)}."
