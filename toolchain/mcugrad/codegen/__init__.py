"""From a memory plan to C sources."""
