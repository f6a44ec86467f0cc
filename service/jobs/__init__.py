"""Durable background work: the job engine behind three functions."""
