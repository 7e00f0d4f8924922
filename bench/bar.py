"""The floors. Below one of them something is wrong with the hub, or with the bench."""

from __future__ import annotations

from collections.abc import Mapping

AT_LEAST: Mapping[str, float] = {
    "aio_pika_pipelined": 1.0,
    "faststream": 1.0,
    "outbox_by_hand": 1.5,
    "aio_pika_one_by_one": 3.0,
    "celery": 3.0,
    "kombu": 3.0,
    "limit_sqlite": 0.22,
    "limit_postgresql": 0.20,
    "aio_pika_limit": 0.18,
}
"""Ratios. The best hub against each peer; one process on SQLite, the best on PostgreSQL, and aio-pika against
the raw limit. (If aio-pika does not reach its floor, it is the peer that is written badly.)"""
AT_MOST: Mapping[str, float] = {
    "push_p99_ms": 100.0,
    "growth": 1.3,
    "rss_mb": 250.0,
    "rss_growth": 1.2,
    "first_poll_s": 2.0,
    "show_ms": 100.0,
    "list_ms": 300.0,
    "slowest_list_ms": 300.0,
}


def below(ratios: Mapping[str, float], figures: Mapping[str, float]) -> list[str]:
    """What misses the bar, in words."""
    missed = [
        f"{name}: {ratios[name]:.2f}, at least {floor:g} is asked"
        for name, floor in AT_LEAST.items()
        if name in ratios and ratios[name] < floor
    ]
    return missed + [
        f"{name}: {figures[name]:.2f}, at most {most:g} is allowed"
        for name, most in AT_MOST.items()
        if name in figures and figures[name] > most
    ]
