"""Who gets digests and alerts, and what they say: by mail, in Slack, in Teams."""
