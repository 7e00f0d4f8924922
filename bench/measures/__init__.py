"""What is measured beside the race: one module for each question about a running hub."""
