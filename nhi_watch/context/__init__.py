"""What is known of the world beside the logs: networks, agents, actions, assets, reputation, frameworks."""
