"""
The mailbox that units send their quarterly tables to (R9), and the answers they get. See README.md.
"""
