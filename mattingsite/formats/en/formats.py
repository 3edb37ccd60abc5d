"""English formats of dates and times.

Django's own times end with a full stop ("p.m."), which would be followed by the full stop of the sentence.
"""

TIME_FORMAT = "g:i A"
DATETIME_FORMAT = "N j, Y, g:i A"
SHORT_DATETIME_FORMAT = "M j, Y, g:i A"
SHORT_DATE_FORMAT = "M j, Y"
