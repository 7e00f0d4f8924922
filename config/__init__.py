"""Assembly: configuration files read, checked whole, and (in `wiring`) turned into a running hub."""
