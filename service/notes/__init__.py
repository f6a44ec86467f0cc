"""Notes: taking in, reading back, erasing."""
