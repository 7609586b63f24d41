/* SPDX-License-Identifier: GPL-2.0-only */
/* What a single field is set to: values near, at and beyond its limits. */
#ifndef FUZZ_VALUES_H
#define FUZZ_VALUES_H

#include "input.h"

#define VALUES_MAX 160
#define TEXT_SIZE 16

/*
 * For a field of up to 8 bytes.  Cut to its size, some of them are the same, and some
 * are what is there already.
 */
unsigned int values_list(const struct input *in, const struct field *f, u64 *list);

/* For those of 16 bytes: signatures, magics and uuids that are known elsewhere. */
extern const u8 texts[][TEXT_SIZE];
extern const unsigned int text_count;

/* For one byte of an array. */
extern const u8 byte_values[];
extern const unsigned int byte_value_count;

#endif
