DROP VIEW event_calendar;
