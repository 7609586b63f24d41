/* SPDX-License-Identifier: GPL-2.0 */
/* Shared by the files of pmem_bench. */
#ifndef PMEM_BENCH_H
#define PMEM_BENCH_H

#include <stdint.h>

/* Tell what went wrong, by errno; -1. */
int failed(const char *what);

uint64_t ticks(void);
void tell(const char *name, uint64_t value);

/* Begin a part for QEMU's plugin, or end one: 0. */
int mark(unsigned char number);

/* A frame and sizes in GiB, up to NULL. */
int do_xen(char **words);

#endif /* PMEM_BENCH_H */
