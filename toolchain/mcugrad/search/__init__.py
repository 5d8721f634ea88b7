"""The search for an update scheme under a budget of SRAM and instructions.

``analysis`` finds out on the user's samples what each tensor is worth, a ``contribution``;
``cost`` asks the planner what it takes, ``choose`` finds the best choice by dynamic programming,
``table`` writes it down; ``auto`` does all this and compiles what was found.
"""
