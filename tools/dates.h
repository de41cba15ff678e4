/* dates.h - datetime, date and time, which Python pickles as a few bytes. */
#ifndef DATES_H
#define DATES_H

#include <stddef.h>

#include <pickle/doc.h>

/*
 * The arguments that repr() shows, "2020, 2, 29, 13, 14"; `*zone` is the
 * tzinfo or NULL. False: it is none of the three, or its bytes make no sense.
 */
#define DATE_CHARS 64
bool date_arguments(const pickle_val *v, char text[DATE_CHARS], const pickle_val **zone);

#endif
