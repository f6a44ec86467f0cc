"""For assistants: the read endpoints as tools of the Model Context Protocol."""
