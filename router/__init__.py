"""The ground floor: what is spoken of, what is decided, and the way of an appeal. Imports nothing of ours."""
