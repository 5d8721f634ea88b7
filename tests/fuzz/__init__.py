"""Mutated files and frames: refused with a reason, or accepted, and nothing else."""
