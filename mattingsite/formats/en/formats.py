"""English formats of dates and times.

Django's own English times end with a full stop ("p.m."). A sentence that ends with such a time would have two full
stops.
"""

TIME_FORMAT = "g:i A"
DATETIME_FORMAT = "N j, Y, g:i A"
SHORT_DATETIME_FORMAT = "M j, Y, g:i A"
SHORT_DATE_FORMAT = "M j, Y"
