"""The search for an update scheme under a budget of SRAM and instructions.

``contribution`` says what each tensor is worth, ``cost`` asks the planner what it takes,
``choose`` finds the best choice by dynamic programming, ``table`` writes it down.
"""
