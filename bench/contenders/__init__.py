"""What people would write instead, each as its library's documentation recommends; none keeps a ledger.

Each is a program of its own: `python -m bench.contenders.NAME --source URL --pages N --amqp URL`.
It ends with code 0 once its last confirm is in.
"""
