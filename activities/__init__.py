"""What a worker does once: thin methods on classes that were handed their gateway."""
