"""Response: what a policy lets us propose, who approves it, and handing it over. Nothing here changes anything."""
