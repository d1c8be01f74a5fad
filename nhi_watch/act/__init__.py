"""From alert to decision: posture, exposure, response, brief."""
