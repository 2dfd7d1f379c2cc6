"""A GPU that is not there: tensors that say they are on “cuda”, computed on the CPU; whoever mixes them with the CPU's is caught."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

GPU = torch.device("meta")
CPU = torch.device("cpu")

COPIES = {"aten::_to_copy", "aten::copy_"}
INDEXED = {"aten::index", "aten::index_put_", "aten::index_put"}
"""What is on a GPU may be indexed from the CPU, and not the other way round."""


class OnGPU(Tensor):
    """`held` has the numbers."""

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> "OnGPU":
        made: OnGPU = Tensor._make_wrapper_subclass(cls, held.shape, held.stride(), held.storage_offset(), dtype=held.dtype, device=GPU)
        made.held = held
        return made

    @classmethod
    def __torch_function__(cls, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is Tensor.tolist:  # refuses every subclass
            return args[0].held.tolist()
        with torch._C.DisableTorchFunctionSubclass():
            return func(*args, **(kwargs or {}))

    @classmethod
    def __torch_dispatch__(cls, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:  # type: ignore[override]  # fewer are given
        return computed(func, args, kwargs or {})


@contextmanager
def pretended_gpu() -> Iterator[None]:
    """While it lasts there is a GPU, for whoever names it; `torch.cuda` knows of none."""
    with _Everywhere():  # type: ignore[no-untyped-call]
        yield


class _Everywhere(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sees what makes tensors, too."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return computed(func, args, kwargs or {})


def computed(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """What `func` gives, on the device on which a GPU would leave it.

    Raises:
        RuntimeError: tensors of both devices, as on a real GPU; those without dimensions may be on either.
    """
    if torch.is_inference_mode_enabled():  # there, operations that are made of others come whole
        with pretended_gpu():
            found = func.decompose(*args, **kwargs)
        if found is not NotImplemented:
            return found
    tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
    is_on_gpu = any(isinstance(tensor, OnGPU) for tensor in tensors)
    name = func._schema.name
    may_mix = name in COPIES or (name in INDEXED and isinstance(args[0], OnGPU))
    if is_on_gpu and not may_mix and any(tensor.ndim and not isinstance(tensor, OnGPU) for tensor in tensors):
        raise RuntimeError(f"{func} was given tensors on two devices")
    wanted = kwargs.get("device")
    ends_on_gpu = is_on_gpu if wanted is None else torch.device(wanted) == GPU
    if not is_on_gpu and not ends_on_gpu:
        return func(*args, **kwargs)
    if wanted is not None:
        kwargs = {**kwargs, "device": CPU}
    found = func(*tree_map(_held, args), **tree_map(_held, kwargs))
    if name == "aten::_to_copy" and not ends_on_gpu:
        return found
    written = {id(tensor.held): tensor for tensor in tensors if isinstance(tensor, OnGPU)}  # what was changed in place stays itself
    return tree_map(lambda value: _shown(value, written), found)


def _held(value: Any) -> Any:
    return value.held if isinstance(value, OnGPU) else value


def _shown(value: Any, written: dict[int, OnGPU]) -> Any:
    if not isinstance(value, Tensor):
        return value
    return written[id(value)] if id(value) in written else OnGPU(value)
