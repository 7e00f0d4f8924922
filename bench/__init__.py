"""Measurements, by ratio and side by side in one run. Nothing here is a test."""
