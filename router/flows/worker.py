"""
Worker: hands over what the hub itself must carry to a receiver (kind http, later table and mail).

One destination is called by one thread at a time, in order, from a bounded pool. Each destination
has a breaker: after failures in a row it is left alone for a while and then probed with a single
message. What an attempt came to is settled before the next one begins; a kill in between leaves
the outcome unknown, and the next attempt carries the same idempotency key.
"""

from __future__ import annotations
