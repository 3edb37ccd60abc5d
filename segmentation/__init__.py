"""Stages 6 and 7, the picture work: arrays in, float alpha and encoded files out. Knows no Django and no jobs."""
