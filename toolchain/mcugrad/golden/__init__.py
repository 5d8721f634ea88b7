"""The golden model: a graph interpreted with NumPy."""
