"""Monthly theme reports: what a month said, built once and frozen."""
