"""When things happen: one story a file, over activities it only references."""
