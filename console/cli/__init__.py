"""The command line. Modules import what is heavy inside the command, so that --help answers at once."""
