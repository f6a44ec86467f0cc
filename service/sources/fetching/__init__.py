"""Fetching by API what senders only name: records by id, whole histories, and what their events lost."""
