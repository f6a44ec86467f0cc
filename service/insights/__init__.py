"""The ranked list over objections, competitors and themes."""
