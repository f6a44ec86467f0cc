"""What names persons in notes: kept with the note, shown to who may see it."""
