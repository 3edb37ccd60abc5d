"""The titles of the built-in recipes, marked for translation.

The file `builtin.json` contains the same titles, but the command `makemessages` does not read JSON files.
"""

from __future__ import annotations

from django.utils.translation import gettext_noop as _

TITLES = (
    _("Amazon main image"),
    _("Shopify, square"),
    _("eBay listing"),
    _("Etsy listing"),
    _("Taobao and Tmall main image (淘宝、天猫主图)"),
    _("Taobao and Tmall white background (淘宝、天猫白底图)"),
    _("JD main image (京东主图)"),
    _("Douyin shop main image (抖店主图)"),
    _("Instagram, square"),
    _("Instagram story"),
    _("Avatar"),
    _("United States passport and visa"),
    _("United Kingdom passport"),
    _("Schengen visa and most EU passports"),
    _("China passport and visa (中国护照、签证)"),
    _("China 1-inch photo (一寸照)"),
    _("China 2-inch photo (二寸照)"),
    _("Japan passport"),
    _("Korea passport"),
    _("India passport and visa"),
    _("Canada passport"),
    _("Australia passport"),
)
