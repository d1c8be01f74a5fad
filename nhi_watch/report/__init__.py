"""Writers of notables: JSON lines, ECS alerts, an HTML report, a terminal table."""
