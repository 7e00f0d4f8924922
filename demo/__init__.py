"""The simulated outside world, and the one command that runs a whole city."""
