"""Record → Event → Day: files, shapes and sources."""
