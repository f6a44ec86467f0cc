"""How long notes are kept: a number of days for each source or for all, past which their words are erased."""
