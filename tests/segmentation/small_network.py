"""A version of the built-in network that is small enough to be built, trained and exported in a test."""

from dataclasses import replace

from segmentation.network import NetworkConfig

SMALL = NetworkConfig(
    stem_width=8,
    widths=(8, 8, 8, 16, 16, 24, 24),
    depths=(1, 1, 1, 2, 1, 1, 1),
    expansion=2,
    context_width=16,
    decoder_widths=(8, 8, 16, 16),
    people_width=8,
)
CLICKABLE = replace(SMALL, prompt_planes=3, prompt_widths=(4, 4, 8, 8, 8), attention_blocks=1, attention_heads=2)
