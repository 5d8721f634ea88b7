"""Passes: Graph to Graph, and Graph to TrainingGraph."""
