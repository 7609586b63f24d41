/* SPDX-License-Identifier: GPL-2.0 */
#ifndef UNIT_LINUX_STRING_H
#define UNIT_LINUX_STRING_H

#include <string.h>

void *memchr_inv(const void *start, int c, size_t bytes);

#endif
