"""What pools can be called."""

from __future__ import annotations

import re

import pytest

from coordinator.settings import ServiceSettings, read_settings
from shared.errors import InputError
from shared.pools import POOL_PATTERN, is_pool_name, parse_pools


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        *((name, True) for name in ("default", "gpu", "4k", "g", "a-b--c", "g" * 32)),
        *((name, False) for name in ("", "GPU", "-gpu", "gpu-", "a b", "g" * 33, "gpu\n", "é")),
    ],
)
def test_a_pool_has_a_plain_short_name(name: str, fits: bool) -> None:
    assert is_pool_name(name) is fits
    if not name.endswith(
        "\n"
    ):  # which Python's own $ lets pass, and those who take the pattern do not
        assert (re.search(POOL_PATTERN, name) is not None) is fits


def test_pools_are_named_in_one_line() -> None:
    assert parse_pools(" gpu, 4k,,gpu ") == ("gpu", "4k")
    assert parse_pools("") == ()
    with pytest.raises(ValueError, match="'-gpu' is no name of a pool"):
        parse_pools("4k,-gpu")


def test_the_settings_declare_pools() -> None:
    assert read_settings(ServiceSettings, declared_pools="gpu,4k").pools_declared == ("gpu", "4k")
    assert read_settings(ServiceSettings).pools_declared == ()
    with pytest.raises(InputError, match="--declared-pools: 'GPU' is no name of a pool"):
        read_settings(ServiceSettings, declared_pools="GPU")
