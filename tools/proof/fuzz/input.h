/* SPDX-License-Identifier: GPL-2.0-only */
/* What a test case is: a namespace and the block that was read from it. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include "fields.h"
#include "reader.h"

#define KIB 0x400ull
#define MIB 0x100000ull
#define GIB 0x40000000ull

/* Also the layout of the files that failing cases are kept in. */
struct input {
	u64 start;
	u64 size;
	u8 uuid[XEN_PMEM_UUID_SIZE];
	u8 block[XEN_PMEM_SB_SIZE];
};

struct rng {
	u64 state;
};

struct rng rng_from(u64 seed);
u64 rng_next(struct rng *rng);
/* Below @n, which is not 0. */
u64 rng_pick(struct rng *rng, u64 n);
/* As often of 3 bits as of 60. */
u64 rng_any(struct rng *rng);

/* Missing bytes are zero, surplus ones are left out. */
void input_read(struct input *in, const u8 *data, size_t size);
bool input_load(struct input *in, const char *path);
bool input_save(const struct input *in, const char *path);

struct xen_pmem_ns input_ns(const struct input *in);
struct xen_pmem_sb *input_sb(struct input *in);
u64 input_field(const struct input *in, const struct field *f);
void input_set(struct input *in, const struct field *f, u64 value);
void input_mend(struct input *in);

/*
 * The block that the formulas of the document give for this namespace, whether it
 * fits or not, with every sum cut to 64 bits.
 */
void input_build(struct input *in, u64 rsv_size, const struct xen_pmem_info *what);
/* Bytes of reserved area with which there is least data: 0 if there is no room. */
u64 input_most_reserved(const struct input *in);
/* A namespace of any kind, with the block of one that was provisioned. */
void input_random(struct input *in, struct rng *rng);

#endif
