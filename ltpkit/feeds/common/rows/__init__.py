"""Rows that were read from messages, on their way to ticks: in order, their ids followed."""
