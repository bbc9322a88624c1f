"""The parts of tools/train_text_tower.py; nothing here is installed."""
