"""What the sources of all shapes share: how native, Splunk and ECS records are written and read."""
