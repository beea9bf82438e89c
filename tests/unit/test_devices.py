"""From the GPU that a task was given to the EGL device that draws."""

from __future__ import annotations

import os

import pytest

from shared.errors import GLError
from workers.gl.devices import VISIBLE_VARIABLE, Device, device_index, gpu_names, list_devices

PROCESSOR = Device(is_software=True)
SHUFFLED = (Device(cuda=2), Device(cuda=0), Device(), Device(cuda=1), PROCESSOR)
"""As NVIDIA's driver lists three GPUs; the fourth entry is Mesa's, for the first of them."""
UNNUMBERED = (PROCESSOR, Device(), Device())


@pytest.mark.parametrize(
    ("devices", "gpu", "index"),
    [
        (SHUFFLED, "0", 1),
        (SHUFFLED, "1", 3),
        (SHUFFLED, "2", 0),
        (SHUFFLED, None, 0),
        (UNNUMBERED, "0", 1),
        (UNNUMBERED, "1", 2),
        ((PROCESSOR,), "0", 0),
        ((PROCESSOR,), "7", 0),
        ((PROCESSOR,), None, 0),
        ((), "1", 0),
        ((), None, 0),
    ],
)
def test_a_gpu_is_found_by_its_number_or_its_place(
    devices: tuple[Device, ...], gpu: str | None, index: int
) -> None:
    assert device_index(devices, gpu) == index


@pytest.mark.parametrize("devices", [SHUFFLED, UNNUMBERED])
def test_a_gpu_that_egl_does_not_have_is_refused(devices: tuple[Device, ...]) -> None:
    with pytest.raises(GLError, match="EGL has no device for GPU 5"):
        device_index(devices, "5")


def test_a_gpu_must_be_named_by_its_number() -> None:
    with pytest.raises(GLError, match="number them in CUDA_VISIBLE_DEVICES"):
        device_index(SHUFFLED, "GPU-8f2c")


@pytest.mark.parametrize(
    ("count", "visible", "names"),
    [
        (0, None, (None,)),
        (0, "", (None,)),
        (0, "-1", (None,)),
        (0, "2,3", ("2",)),
        (2, None, ("0", "1")),
        (2, "", ("0", "1")),
        (2, "3,1,0", ("3", "1")),
        (1, "GPU-8f2c", ("GPU-8f2c",)),
    ],
)
def test_a_node_draws_on_what_it_offers(
    count: int, visible: str | None, names: tuple[str | None, ...]
) -> None:
    assert gpu_names(count, visible) == names


def test_this_machine_lists_its_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VISIBLE_VARIABLE, "1")
    list_devices.cache_clear()
    found = list_devices()
    assert os.environ[VISIBLE_VARIABLE] == "1"
    assert all(not (device.is_software and device.cuda is not None) for device in found)


def test_a_machine_without_egl_has_no_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.gl.devices._LIBRARY", "libNoSuchThing.so.1")
    list_devices.cache_clear()
    assert list_devices() == ()
    list_devices.cache_clear()
