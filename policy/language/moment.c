#include <config.h>

#include <time.h>

#include "language/moment.h"

/* Takes `digits` decimal digits off the front. */
static bool
take_number(struct slice *rest, unsigned digits, int *number_out)
{
	int number = 0;

	if (rest->length < digits)
		return false;
	for (unsigned i = 0; i < digits; i++) {
		if (!ascii_is_digit(rest->data[i]))
			return false;
		number = number * 10 + (rest->data[i] - '0');
	}
	*rest = slice_skip(*rest, digits);
	*number_out = number;
	return true;
}

static bool
take_byte(struct slice *rest, char byte)
{
	if (rest->length == 0 || rest->data[0] != byte)
		return false;
	*rest = slice_skip(*rest, 1);
	return true;
}

static bool
take_day(struct slice *rest, struct tm *tm)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	int year, month, day;
	bool leap;

	if (!take_number(rest, 4, &year) || !take_byte(rest, '-') ||
	    !take_number(rest, 2, &month) || !take_byte(rest, '-') ||
	    !take_number(rest, 2, &day))
		return false;
	leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	if (year < 1970 || month < 1 || month > 12 || day < 1 ||
	    day > days[month - 1] + (leap && month == 2))
		return false;
	tm->tm_year = year - 1900;
	tm->tm_mon = month - 1;
	tm->tm_mday = day;
	tm->tm_isdst = -1;
	return true;
}

static bool
take_clock(struct slice *rest, struct tm *tm)
{
	if (!take_number(rest, 2, &tm->tm_hour) || !take_byte(rest, ':') ||
	    !take_number(rest, 2, &tm->tm_min))
		return false;
	if (take_byte(rest, ':') && !take_number(rest, 2, &tm->tm_sec))
		return false;
	return tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec <= 60;
}

/* Z, +hh:mm, -hh:mm or nothing. */
static bool
take_zone(struct slice *rest, bool *local_out, int *offset_out)
{
	bool east = take_byte(rest, '+');
	int hours, minutes;

	*offset_out = 0;
	*local_out = false;
	if (!east && take_byte(rest, 'Z'))
		return true;
	if (!east && !take_byte(rest, '-')) {
		*local_out = true;
		return true;
	}
	if (!take_number(rest, 2, &hours) || !take_byte(rest, ':') ||
	    !take_number(rest, 2, &minutes) || hours > 14 || minutes > 59)
		return false;
	*offset_out = (hours * 3600 + minutes * 60) * (east ? 1 : -1);
	return true;
}

bool
moment_parse(struct slice text, bool end_of_day, int64_t *unix_out)
{
	struct tm tm = { 0 };
	bool local;
	int offset;

	if (!take_day(&text, &tm))
		return false;
	if (text.length == 0) {
		tm.tm_mday += end_of_day;
		*unix_out = mktime(&tm);
		return true;
	}
	if (!take_byte(&text, 'T') || !take_clock(&text, &tm) ||
	    !take_zone(&text, &local, &offset) || text.length > 0)
		return false;
	*unix_out = local ? mktime(&tm) : timegm(&tm) - offset;
	return true;
}

const char *
moment_format(struct arena *arena, int64_t unix_time)
{
	time_t seconds = (time_t)unix_time;
	struct tm tm;
	char text[64], zone[16];
	const char *made;

	if (localtime_r(&seconds, &tm) == NULL ||
	    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm) == 0 ||
	    strftime(zone, sizeof zone, "%z", &tm) != 5)
		return "?";
	if (strcmp(zone, "+0000") == 0)
		made = arena_printf(arena, "%sZ", text);
	else
		made = arena_printf(arena, "%s%.3s:%.2s", text, zone, zone + 3);
	return made == NULL ? "?" : made;
}
