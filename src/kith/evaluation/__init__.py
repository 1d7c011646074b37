"""How often the answers are wrong, measured on labelled photographs."""
