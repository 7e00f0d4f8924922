"""What every destination promises, whatever it is made of: subclass the contract and hand in its world."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

import pytest

from router.errors import DestinationUnavailable, RejectedByReceiver, Throttled
from router.ports import Destination
from tests.front.fakes import dispatch

CANARY = "欧阳测试名 13900007777"


class Receiver(Protocol):
    """The other side, as a test steers it."""

    destination: Destination

    def takes_everything(self) -> None: ...

    def says_no(self) -> None: ...

    def says_slow_down(self, seconds: int) -> None: ...

    def is_away(self) -> None: ...

    def keys(self) -> list[str]:
        """The idempotency key of each message that reached it, in order."""


class DestinationContract:
    """Needs a fixture `receiver`."""

    def test_a_delivered_dispatch_has_reached_it_and_has_a_receipt(self, receiver: Receiver) -> None:
        receiver.takes_everything()
        sent = dispatch()
        receipt = receiver.destination.deliver(sent, 1)
        assert receipt.dispatch_id == sent.dispatch_id
        assert receiver.keys() == [sent.dispatch_id]

    def test_p2_every_attempt_carries_the_same_key(self, receiver: Receiver) -> None:
        receiver.takes_everything()
        sent = dispatch()
        receiver.destination.deliver(sent, 1)
        receiver.destination.deliver(sent, 2)
        assert receiver.keys() == [sent.dispatch_id, sent.dispatch_id]

    def test_a_clear_no_is_not_tried_again(self, receiver: Receiver) -> None:
        receiver.says_no()
        with pytest.raises(RejectedByReceiver):
            receiver.destination.deliver(dispatch(), 1)

    def test_slow_down_says_for_how_long(self, receiver: Receiver) -> None:
        receiver.says_slow_down(7)
        with pytest.raises(Throttled) as caught:
            receiver.destination.deliver(dispatch(), 1)
        assert caught.value.retry_after in (None, timedelta(seconds=7))

    def test_p5_who_is_away_has_not_accepted(self, receiver: Receiver) -> None:
        receiver.is_away()
        with pytest.raises(DestinationUnavailable):
            receiver.destination.deliver(dispatch(), 1)

    def test_it_works_again_after_it_was_away(self, receiver: Receiver) -> None:
        receiver.is_away()
        with pytest.raises(DestinationUnavailable):
            receiver.destination.deliver(dispatch(), 1)
        receiver.takes_everything()
        receiver.destination.deliver(dispatch(), 2)

    def test_p8_no_error_quotes_the_message(self, receiver: Receiver) -> None:
        for steer in (receiver.says_no, receiver.is_away):
            steer()
            with pytest.raises((RejectedByReceiver, DestinationUnavailable)) as caught:
                receiver.destination.deliver(dispatch(content=CANARY), 1)
            assert "13900007777" not in str(caught.value)
            assert "欧阳" not in str(caught.value)
