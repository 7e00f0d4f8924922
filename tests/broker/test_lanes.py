"""Which message may go next: the publisher's rules without a broker, every order of events included."""

from __future__ import annotations

from collections import Counter, deque
from typing import Any

from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from router.broker.lanes import Decided, Flight, Lanes
from router.broker.settings import PublisherSettings
from router.ports import Outgoing, Published
from tests.broker.publishing import outgoing


def make(**limits: Any) -> tuple[Lanes, deque[Decided]]:
    decided: deque[Decided] = deque()
    return Lanes(PublisherSettings(**limits), decided, lambda: 1.0), decided


def all_open(window: int = 20) -> Any:
    return lambda _destination: window


def take(lanes: Lanes, *messages: Outgoing, now: float = 1.0) -> None:
    lanes.take(messages, now)


def verdicts(decided: deque[Decided]) -> list[tuple[str, bool]]:
    return [(published.verdict, published.sent) for published, _ in decided]


def test_one_destination_has_at_most_its_window_on_the_way_and_the_others_go_on() -> None:
    lanes, _ = make()
    take(lanes, *(outgoing("a") for _ in range(50)), *(outgoing("b") for _ in range(5)))
    sent = Counter(flight.message.destination for flight in lanes.departures(1.0, all_open()))
    assert sent == {"a": 20, "b": 5}
    assert list(lanes.departures(1.0, all_open())) == []


def test_a_destination_whose_channel_is_not_open_waits_and_the_others_go_on() -> None:
    lanes, _ = make()
    take(lanes, outgoing("a"), outgoing("b"))
    [flight] = lanes.departures(1.0, lambda destination: 0 if destination == "a" else 20)
    assert flight.message.destination == "b"
    [flight] = lanes.departures(1.0, all_open())
    assert flight.message.destination == "a"


def test_a_refusal_makes_the_lane_rest_longer_each_time_and_a_confirm_opens_it() -> None:
    lanes, _ = make(first_pause="1s", longest_pause="4s")
    take(lanes, *(outgoing("a") for _ in range(10)))
    now, rests = 1.0, []
    for _ in range(5):
        flight = next(lanes.departures(now, all_open(1)))
        lanes.refuse(flight, "nacked", now)
        until = lanes.resting("a")
        assert until is not None
        rests.append(until - now)
        assert list(lanes.departures(until - 0.01, all_open())) == []
        now = until
        lanes.tick(now)
    assert rests == [1.0, 2.0, 4.0, 4.0, 4.0]
    [probe] = lanes.departures(now, all_open())
    lanes.acked([probe], now)
    assert lanes.resting("a") is None
    assert len(list(lanes.departures(now, all_open()))) == 4


def test_twenty_refusals_of_one_burst_count_as_one() -> None:
    lanes, _ = make(first_pause="1s")
    take(lanes, *(outgoing("a") for _ in range(20)))
    for flight in list(lanes.departures(1.0, all_open())):
        lanes.refuse(flight, "nacked", 1.5)
    assert lanes.resting("a") == 2.5


def test_a_confirm_from_before_the_refusal_does_not_end_the_rest() -> None:
    lanes, _ = make()
    take(lanes, outgoing("a"), outgoing("a"))
    first, second = lanes.departures(1.0, all_open())
    lanes.refuse(first, "nacked", 2.0)
    lanes.acked([second], 2.0)
    assert lanes.resting("a") is not None


def test_a_message_is_given_back_unsent_when_its_patience_is_over() -> None:
    lanes, decided = make(patience="10s")
    take(lanes, outgoing("a"))
    lanes.tick(10.9)
    assert not decided
    lanes.tick(11.0)
    assert verdicts(decided) == [("unknown", False)]


def test_p3_what_was_handed_in_before_the_failure_was_seen_comes_back_and_what_comes_after_goes() -> None:
    lanes, decided = make()
    first = outgoing("a")
    later = [outgoing("a", appeal_id=first.appeal_id, sequence=number) for number in (2, 3)]
    take(lanes, first)
    [flight] = lanes.departures(1.0, all_open())
    lanes.lose(flight, "lost", 1.0)
    take(lanes, later[0])  # the caller has not looked yet
    assert verdicts(decided) == [("unknown", True), ("unknown", False)]
    lanes.seen("a", first.appeal_id)
    lanes.seen("a", first.appeal_id)
    take(lanes, first, later[1])
    assert [flight.message for flight in lanes.departures(1.0, all_open())] == [first]


def test_acks_of_one_read_are_decided_in_order_and_what_was_returned_is_not_confirmed() -> None:
    lanes, decided = make()
    messages = [outgoing("a") for _ in range(3)]
    take(lanes, *messages)
    flights = list(lanes.departures(1.0, all_open()))
    flights[1].returned = "312 NO_ROUTE"
    lanes.acked(flights, 2.0)
    assert [(one.delivery_id, one.verdict) for one, _ in decided] == [
        (messages[0].delivery_id, "confirmed"),
        (messages[1].delivery_id, "returned"),
        (messages[2].delivery_id, "confirmed"),
    ]
    assert (lanes.unconfirmed, lanes.unconfirmed_bytes) == (0, 0)


def test_p9_large_bodies_on_their_way_are_limited_over_all_and_one_always_goes() -> None:
    lanes, _ = make(unconfirmed_bytes=1000)
    take(lanes, *(outgoing(f"d{number}", body=b"x" * 800) for number in range(3)))
    [flight] = lanes.departures(1.0, all_open())
    assert list(lanes.departures(1.0, all_open())) == []
    lanes.acked([flight], 1.0)
    assert len(list(lanes.departures(1.0, all_open()))) == 1


class AnyOrderOfEvents(RuleBasedStateMachine):
    """Two destinations, two appeals; the machine plays caller, broker and clock."""

    def __init__(self) -> None:
        super().__init__()
        self.lanes, self.decided = make(window=2, backlog=50, patience="5s")
        self.now = 1.0
        self.flying: list[Flight] = []
        self.queued: dict[tuple[str, str], list[int]] = {}
        self.handed_in: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.next_sequence: Counter[tuple[str, str]] = Counter()
        self.again: deque[Outgoing] = deque()
        self.messages: dict[str, Outgoing] = {}

    @rule(destination=strategies.sampled_from("ab"), appeal=strategies.sampled_from("xy"))
    def hand_in_a_new_one(self, destination: str, appeal: str) -> None:
        """The caller follows its own gate only loosely: later ones come while earlier ones are open."""
        if any((m.destination, m.appeal_id) == (destination, appeal) for m in self.again):
            return
        self.next_sequence[destination, appeal] += 1
        message = outgoing(destination, appeal_id=appeal, sequence=self.next_sequence[destination, appeal])
        self.messages[message.delivery_id] = message
        self._hand_in(message)

    @precondition(lambda self: self.again)
    @rule()
    def hand_in_again(self) -> None:
        for message in sorted(self.again, key=lambda one: one.sequence):
            self._hand_in(message)
        self.again.clear()

    @rule(open_ones=strategies.sets(strategies.sampled_from("ab")))
    def send(self, open_ones: set[str]) -> None:
        self._send(open_ones)

    def _send(self, open_ones: set[str]) -> None:
        for flight in self.lanes.departures(self.now, lambda one: 2 if one in open_ones else 0):
            self.flying.append(flight)
            assert flight.lane.unconfirmed <= 2

    @precondition(lambda self: self.flying)
    @rule(
        data=strategies.data(), verdict=strategies.sampled_from(["confirmed", "refused", "lost", "returned"])
    )
    def answer(self, data: strategies.DataObject, verdict: str) -> None:
        flight = self.flying.pop(data.draw(strategies.integers(0, len(self.flying) - 1)))
        if verdict == "confirmed":
            self._confirm(flight)
        elif verdict == "refused":
            self.lanes.refuse(flight, "full", self.now)
        elif verdict == "lost":
            self.lanes.lose(flight, "lost", self.now)
        else:
            self.lanes.give_back(flight, "no route", self.now)

    @rule(seconds=strategies.sampled_from([0.1, 1.0, 6.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.lanes.tick(self.now)

    @rule()
    def collect(self) -> None:
        while self.decided:
            published, broken = self.decided.popleft()
            self.answered[published.delivery_id] += 1
            if broken:
                self.lanes.seen(published.destination, broken)
                self.again.append(self.messages[published.delivery_id])

    @invariant()
    def of_each_appeal_the_queue_holds_an_ascending_sequence(self) -> None:
        for sequences in self.queued.values():
            assert sequences == sorted(sequences)

    @invariant()
    def nobody_is_answered_more_often_than_handed_in(self) -> None:
        assert all(self.answered[one] <= count for one, count in self.handed_in.items())

    def _confirm(self, flight: Flight) -> None:
        key = flight.message.destination, flight.message.appeal_id
        self.queued.setdefault(key, []).append(flight.message.sequence)
        self.lanes.acked([flight], self.now)

    def teardown(self) -> None:
        while self.flying:
            self.lanes.lose(self.flying.pop(), "end", self.now)
        self.lanes.empty("end", self.now)
        while self.decided:
            published, _ = self.decided.popleft()
            self.answered[published.delivery_id] += 1
        assert self.answered == self.handed_in, "exactly one answer for each handing in"
        assert self.lanes.unconfirmed == 0
        assert self.lanes.unconfirmed_bytes == 0

    def _hand_in(self, message: Outgoing) -> None:
        self.handed_in[message.delivery_id] += 1
        self.lanes.take([message], self.now)


TestAnyOrderOfEvents = AnyOrderOfEvents.TestCase
TestAnyOrderOfEvents.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)


def test_published_says_by_default_that_it_was_sent() -> None:
    assert Published("d", 1, "a", "confirmed", "", outgoing().created_at - outgoing().created_at).sent
