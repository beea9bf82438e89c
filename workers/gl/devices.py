"""The devices that EGL draws with, and which of them is the GPU that a task was given.

EGL does not know CUDA_VISIBLE_DEVICES: it numbers all devices of a machine in an order of its own.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from shared.errors import GLError

VISIBLE_VARIABLE: Final = "CUDA_VISIBLE_DEVICES"
_LIBRARY: Final = "libEGL.so.1"
_EXTENSIONS: Final = 0x3055
"""EGL_EXTENSIONS."""
_CUDA_DEVICE: Final = 0x323A
"""EGL_CUDA_DEVICE_NV, the number by which CUDA knows a device (EGL_NV_device_cuda)."""
_MOST: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device of EGL."""

    cuda: int | None = None
    """CUDA's number of it, where the driver tells it."""
    is_software: bool = False
    """Whether it is the processor."""


def device_index(devices: Sequence[Device], gpu: str | None) -> int:
    """Which of EGL's devices draws. Pure.

    Args:
        devices: All of them, in EGL's order.
        gpu: The GPU that was given, as CUDA_VISIBLE_DEVICES names it; None where none was.

    Returns:
        The first device where no GPU was given, or where there is none.

    Raises:
        GLError: There are GPUs, but not that one.
    """
    hardware = [index for index, device in enumerate(devices) if not device.is_software]
    if gpu is None or not hardware:
        return 0
    if not gpu.isdecimal():
        raise GLError(
            f"The GPU {gpu!r} is named by its identity: number them in {VISIBLE_VARIABLE}, as "
            "nvidia-smi does."
        )
    number = int(gpu)
    by_number = {
        device.cuda: index for index, device in enumerate(devices) if device.cuda is not None
    }
    if not by_number:
        by_number = dict(enumerate(hardware))
    if number not in by_number:
        raise GLError(
            f"EGL has no device for GPU {number}, only for {sorted(by_number)}: let the container "
            "see that GPU, and draw with it (NVIDIA_DRIVER_CAPABILITIES must name graphics)."
        )
    return by_number[number]


def gpu_names(count: int, visible: str | None) -> tuple[str | None, ...]:
    """The GPUs that a node draws on. Pure.

    Args:
        count: How many it offers.
        visible: Its CUDA_VISIBLE_DEVICES; without it, it offers the machine's first ones.

    Returns:
        As its tasks are given them. Where it offers none, what a task draws on that is given none:
        the first that is visible, or None.
    """
    named = visible.split(",") if visible else [str(number) for number in range(count)]
    if count:
        return tuple(named[:count])
    return (named[0] if named and named[0].isdecimal() else None,)


@cache
def list_devices() -> tuple[Device, ...]:
    """All devices in EGL's order; none where EGL cannot list them."""
    try:
        egl = ctypes.CDLL(_LIBRARY)
        with _every_gpu():
            return tuple(_devices(egl))
    except (OSError, AttributeError):
        return ()  # whoever opens a context is told what is missing


@contextmanager
def _every_gpu() -> Iterator[None]:
    """Numbers of CUDA are those of the machine meanwhile, not of what this task may see."""
    visible = os.environ.pop(VISIBLE_VARIABLE, None)
    try:
        yield
    finally:
        if visible is not None:
            os.environ[VISIBLE_VARIABLE] = visible


def _devices(egl: Any) -> Iterator[Device]:
    egl.eglQueryString.restype = ctypes.c_char_p
    egl.eglQueryString.argtypes = [ctypes.c_void_p, ctypes.c_int]
    offered = (egl.eglQueryString(None, _EXTENSIONS) or b"").split()
    if not {b"EGL_EXT_device_base", b"EGL_EXT_device_query"} & set(offered):
        return
    handle, number = ctypes.c_void_p, ctypes.c_int
    query_devices = _function(
        egl, b"eglQueryDevicesEXT", number, ctypes.POINTER(handle), ctypes.POINTER(number)
    )
    query_attribute = _function(
        egl, b"eglQueryDeviceAttribEXT", handle, number, ctypes.POINTER(ctypes.c_ssize_t)
    )
    query_string = _function(
        egl, b"eglQueryDeviceStringEXT", handle, number, returns=ctypes.c_char_p
    )
    found, count = (handle * _MOST)(), number()
    if not query_devices(_MOST, found, ctypes.byref(count)):
        return
    for device in found[: count.value]:
        extensions = (query_string(device, _EXTENSIONS) or b"").split()
        value = ctypes.c_ssize_t()
        has_number = b"EGL_NV_device_cuda" in extensions and query_attribute(
            device, _CUDA_DEVICE, ctypes.byref(value)
        )
        yield Device(
            cuda=value.value if has_number else None,
            is_software=b"EGL_MESA_device_software" in extensions,
        )


def _function(egl: Any, name: bytes, *takes: Any, returns: Any = ctypes.c_uint) -> Any:
    """A function of an extension.

    Raises:
        AttributeError: The library does not have it.
    """
    egl.eglGetProcAddress.restype = ctypes.c_void_p
    egl.eglGetProcAddress.argtypes = [ctypes.c_char_p]
    address = egl.eglGetProcAddress(name)
    if not address:
        raise AttributeError(name.decode())
    return ctypes.CFUNCTYPE(returns, *takes)(address)
