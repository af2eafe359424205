"""What is known of runs: a row per attempt, what of it counts, and one runner per folder."""
