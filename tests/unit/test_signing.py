"""Signatures of webhooks: as the standard has them, and nothing that is no secret."""

from __future__ import annotations

import base64

import pytest

from coordinator.signing import key_of, new_secret, sign, signed_headers


def test_the_example_of_the_standard_is_signed_alike() -> None:
    # From the specification's own libraries (standard-webhooks, libraries/python/tests).
    signature = sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_every_secret_is_new_and_holds_32_bytes() -> None:
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert {len(key_of(each)) for each in secrets} == {32}


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "whsec_c2hvcnQ=",
        "whsec_" + base64.b64encode(bytes(23)).decode(),
        "whsec_" + base64.b64encode(bytes(65)).decode(),
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!",
        "whsec_ÄÖÜKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    ],
)
def test_what_is_no_secret_is_refused_without_repeating_it(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_ followed by 24 to 64") as caught:
        key_of(secret)
    assert secret.removeprefix("whsec_") == "" or secret not in str(caught.value)


@pytest.mark.parametrize("length", [24, 64])
def test_the_shortest_and_the_longest_key_are_taken(length: int) -> None:
    assert len(key_of("whsec_" + base64.b64encode(bytes(length)).decode())) == length


def test_while_a_secret_is_replaced_both_sign() -> None:
    old, new = new_secret(), new_secret()
    headers = signed_headers([new, old], "dlv_1", 1700000000, b"{}")
    assert headers == {
        "webhook-id": "dlv_1",
        "webhook-timestamp": "1700000000",
        "webhook-signature": " ".join(
            [sign(new, "dlv_1", 1700000000, b"{}"), sign(old, "dlv_1", 1700000000, b"{}")]
        ),
    }


def test_another_id_time_body_or_secret_has_another_signature() -> None:
    one, other = new_secret(), new_secret()
    signatures = {
        sign(one, "dlv_1", 1, b"{}"),
        sign(one, "dlv_2", 1, b"{}"),
        sign(one, "dlv_1", 2, b"{}"),
        sign(one, "dlv_1", 1, b"[]"),
        sign(other, "dlv_1", 1, b"{}"),
    }
    assert len(signatures) == 5
