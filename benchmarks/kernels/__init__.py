"""Kernels over many shapes: right or wrong, and instructions per product in the emulator."""
