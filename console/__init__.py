"""The people's doors: the command line, and later the web. Two doors to the same functions."""
