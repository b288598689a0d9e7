"""The worker's side: queue, store, engine, and the process that runs them."""
