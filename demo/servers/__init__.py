"""
Private servers for the demonstration and the tests: from the system's packages, never the system's own.
"""
