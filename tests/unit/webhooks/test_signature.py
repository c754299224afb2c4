"""Signatures of webhooks, beside the example of the Standard Webhooks specification."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from functions.webhooks.domain.signature import signed_headers, webhook_secret

IDS = st.uuids()


def test_a_signature_is_that_of_the_specifications_example() -> None:
    """The test vector of the specification's reference libraries (standardwebhooks/standard-webhooks)."""
    headers = signed_headers(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(IDS, IDS, st.integers(1, 9), st.integers(1, 9))
def test_secrets_differ_by_webhook_county_and_version(first: UUID, second: UUID, one: int, other: int) -> None:
    made = {
        ("king_wa", first, one): webhook_secret("key", "king_wa", first, one),
        ("king_wa", second, other): webhook_secret("key", "king_wa", second, other),
        ("lucas_oh", first, one): webhook_secret("key", "lucas_oh", first, one),
    }
    assert len(set(made.values())) == len(made)
    assert webhook_secret("another key", "king_wa", first, one) not in made.values()
