/* SPDX-License-Identifier: Apache-2.0 */
/* date: days as people write them. */
#ifndef CTL_DATE_H
#define CTL_DATE_H

#include <stdbool.h>
#include <stdint.h>

/* "2027-01-31" (the end of that day, UTC) or "12h", "180d" from now; false if it is neither or
 * past. */
bool date_read(const char *text, int64_t *seconds);
/* "2027-01-31" (the beginning of that day, UTC) or "12h", "7d" ago; false for what is to come. */
bool date_read_past(const char *text, int64_t *seconds);

#endif
