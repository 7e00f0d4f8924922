"""Their words into ours and back: mapping files read, compiled and run. Start at `mappings.loading`."""
