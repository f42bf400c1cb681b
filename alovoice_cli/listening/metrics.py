"""The listener's counters for Prometheus. No label contains a number, a line, a URL's path or any secret."""

from collections.abc import Callable, Iterable, Sequence
from typing import get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from alovoice_cli import __version__
from alovoice_cli.errors import AlovoiceError
from alovoice_cli.events.event import PBX_TYPES, EventType
from alovoice_cli.events.notices import NOTICE_STATES
from alovoice_cli.listening.forwarding import RelayOutcome
from alovoice_cli.listening.ruling import RouteSource
from alovoice_cli.listening.targets import Target
from alovoice_cli.stores.event_engine import troubles
from alovoice_cli.stores.notices import Notices
from alovoice_cli.stores.outbox import Outbox

_TAKEN = (200, 503)
_REFUSALS = {403: "address", 404: "path", 405: "method", 413: "size", 431: "head", 503: "storage"}


class Metrics:
    """Counters and gauges in a registry of their own; any thread may call the methods."""

    content_type = CONTENT_TYPE_LATEST.encode()

    def __init__(self) -> None:
        # They would add a second series for each counter, which no alert uses.
        disable_created_metrics()  # type: ignore[no-untyped-call] # the library leaves it without types
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        build = Gauge("alovoice_build_info", "The version that runs.", ["version"], registry=registry)
        build.labels(__version__).set(1)
        self._received = Counter("alovoice_received", "Deliveries that came in, by type.", ["type"], registry=registry)
        self._answered = Counter(
            "alovoice_answered", "Answers, by type and status.", ["type", "status"], registry=registry
        )
        self._refused = Counter(
            "alovoice_refused", "Requests that were not taken, by reason.", ["reason"], registry=registry
        )
        self._last = Gauge(
            "alovoice_last_received_timestamp_seconds",
            "When the last delivery came, or the listener began.",
            registry=registry,
        )
        self._relays = Counter(
            "alovoice_callstart_relays", "Callstarts that the CRM was asked about.", ["outcome"], registry=registry
        )
        self._routes = Counter(
            "alovoice_route_answers", "Answers to route questions, by what decided.", ["source"], registry=registry
        )
        self._fallbacks = Counter(
            "alovoice_route_fallbacks", "Callers who got the fallback, by reason.", ["reason"], registry=registry
        )
        self._start_at_zero()

    def _start_at_zero(self) -> None:
        """Sets all counters to zero: a counter that first appears with a value raises no alert."""
        self._last.set_to_current_time()
        for kind in PBX_TYPES:
            self._received.labels(kind)
        for reason in _REFUSALS.values():
            self._refused.labels(reason)
        for outcome in get_args(RelayOutcome):
            self._relays.labels(outcome)
        for source in get_args(RouteSource):
            (self._routes if source in ("rule", "override") else self._fallbacks).labels(source)
        self._routes.labels("fallback")

    def note_answer(self, kind: EventType | None, status: int) -> None:
        """Counts an answer to a delivery of this type; None for an unknown path. Own test requests do not count."""
        if kind == "probe":
            return
        if status in _REFUSALS:
            self._refused.labels(_REFUSALS[status]).inc()
        if kind is None:
            return
        self._answered.labels(kind, str(status)).inc()
        if status in _TAKEN:
            self._received.labels(kind).inc()
            self._last.set_to_current_time()

    def note_relay(self, outcome: RelayOutcome) -> None:
        """Counts a callstart for which the CRM was asked."""
        self._relays.labels(outcome).inc()

    def note_route(self, source: RouteSource) -> None:
        """Counts an answered route question."""
        if source in ("rule", "override"):
            self._routes.labels(source).inc()
        else:
            self._routes.labels("fallback").inc()
            self._fallbacks.labels(source).inc()

    def follow(self, name: str, meaning: str, value: Callable[[], float]) -> None:
        """Adds a gauge whose value is read for each request."""
        Gauge(name, meaning, registry=self._registry).set_function(value)

    def follow_outbox(self, outbox: Outbox, now_us: Callable[[], int]) -> None:
        """Adds gauges of waiting deliveries and dead letters, by target."""
        self._registry.register(_OutboxCollector(outbox, now_us))

    def follow_notices(self, notices: Notices, targets: Sequence[Target]) -> None:
        """Adds gauges of missed calls to report, by target and state."""
        self._registry.register(_NoticeCollector(notices, targets))

    def follow_store(self, name: str, is_spooling: Callable[[], bool]) -> None:
        """Adds the store's name, and whether it takes deliveries."""
        info = Gauge("alovoice_store_info", "The event store.", ["store"], registry=self._registry)
        info.labels(name).set(1)
        self.follow("alovoice_spooling", "1 while deliveries wait in the spool for the event store.", is_spooling)

    def text(self) -> bytes:
        """Returns all metrics in the text format of `content_type`."""
        return generate_latest(self._registry)


class _NoticeCollector(Collector):
    """The notices of the targets that this listener was given."""

    def __init__(self, notices: Notices, targets: Sequence[Target]) -> None:
        self._notices, self._targets = notices, targets

    def collect(self) -> Iterable[Metric]:
        labels = ["target", "id", "state"]
        found = GaugeMetricFamily("alovoice_notices", "Missed calls that people are told of, by state.", labels=labels)
        try:
            counts = self._notices.counts()
        except troubles(AlovoiceError):  # as for the outbox
            return
        for target in self._targets:
            for state in NOTICE_STATES:
                count = counts.get(target.name, {}).get(state, 0)
                found.add_metric([target.label, target.name[-8:], state], count)
        yield found


class _OutboxCollector(Collector):
    """The targets in the event store, also those that are no longer given."""

    def __init__(self, outbox: Outbox, now_us: Callable[[], int]) -> None:
        self._outbox, self._now_us = outbox, now_us

    def collect(self) -> Iterable[Metric]:
        labels = ["target", "id"]
        waiting = GaugeMetricFamily("alovoice_outbox_waiting", "Events that wait for the target.", labels=labels)
        dead = GaugeMetricFamily("alovoice_outbox_dead", "Events that were given up.", labels=labels)
        oldest = GaugeMetricFamily(
            "alovoice_outbox_oldest_age_seconds", "How long the oldest event that waits does so.", labels=labels
        )
        taking = GaugeMetricFamily(
            "alovoice_target_taking", "1 while the target takes events, 0 while it refuses or is away.", labels=labels
        )
        try:
            standing = self._outbox.standing()
        except troubles(AlovoiceError):  # locked, damaged or down: the other metrics are needed all the more
            return
        now = self._now_us()
        for one in standing:
            named = [one.label or one.name, one.name[-8:]]  # two paths of one host have the same label
            waiting.add_metric(named, one.waiting)
            dead.add_metric(named, one.dead)
            oldest.add_metric(named, max(now - one.oldest_at, 0) / 1_000_000 if one.oldest_at else 0.0)
            taking.add_metric(named, one.state == "taking")
        yield from (waiting, dead, oldest, taking)
