"""What more than one module uses; the core layer of every Lambda carries it."""
