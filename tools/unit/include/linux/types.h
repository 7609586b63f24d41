/* SPDX-License-Identifier: GPL-2.0 */
#include_next <linux/types.h>
#ifndef UNIT_LINUX_TYPES_H
#define UNIT_LINUX_TYPES_H

#include <stdbool.h>
#include <stddef.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef unsigned long long u64;

#undef __packed
#define __packed __attribute__((packed))

#endif
