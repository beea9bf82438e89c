"""What ``serve`` says of addresses that it cannot use."""

from __future__ import annotations

import socket

import pytest

from coordinator.serve.database import check_server
from coordinator.serve.listening import listen
from shared.errors import InputError


def refused(url: str) -> str:
    with pytest.raises(InputError) as caught:
        check_server(url)
    assert caught.value.__cause__ is None
    return caught.value.message


@pytest.mark.parametrize(
    "rest",
    [
        "u:SeC@ret/PW@127.0.0.1:1/x",
        "u:SeC/ret@PW@127.0.0.1:1/x",
        "u:SeC?ret@PW@127.0.0.1:1/x",
        "u:SeC#ret@127.0.0.1:1/x",
        "u:SeC@ret@127.0.0.1:1/x",
        "u:SeC",
        "u@SeC@127.0.0.1:1/x",
        "/SeC@ret@PW",
    ],
)
def test_no_part_of_a_password_is_shown(rest: str) -> None:
    message = refused(f"postgresql://{rest}")
    assert "its address is not understood" in message
    assert not any(part in message for part in ("SeC", "ret", "PW"))


def test_an_option_that_does_not_exist_is_told_as_such() -> None:
    message = refused("postgresql://u:SeCret@127.0.0.1:1/x?foo=bar")
    assert message.endswith("an option behind the ? that PostgreSQL does not know.")
    assert not any(part in message for part in ("SeCret", "foo", "bar"))


@pytest.mark.parametrize("rest", ["u:SeCret@127.0.0.1:1/x", "u@127.0.0.1:1/x?password=SeCret"])
def test_a_server_that_is_not_there_is_told_in_one_sentence(rest: str) -> None:
    message = refused(f"postgresql://{rest}")
    assert message.endswith('"127.0.0.1", port 1 failed: Connection refused.')
    assert "SeCret" not in message


def test_an_address_of_another_machine_cannot_be_listened_on() -> None:
    with pytest.raises(InputError) as caught:
        listen("203.0.113.7", 0)
    assert "attempting" not in caught.value.message
    assert "Cannot assign requested address. Choose others" in caught.value.message


def test_a_port_that_is_taken_is_told() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(InputError, match="is taken"),
    ):
        listen("127.0.0.1", taken.getsockname()[1])
