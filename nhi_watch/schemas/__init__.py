"""JSON Schemas of what the program writes."""
