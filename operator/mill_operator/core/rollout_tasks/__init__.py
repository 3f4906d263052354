"""Tasks that run in rollouts: when their runs start, what they hold back, and what is known of them."""
