/* SPDX-License-Identifier: GPL-2.0-only */
/* Holds the parser against the reader, and both against what has to be so. */
#ifndef FUZZ_JUDGE_H
#define FUZZ_JUDGE_H

#include <stdio.h>

#include "input.h"

/* What the two say of one input. */
struct verdict {
	enum reader_verdict parser;
	enum reader_verdict reader;
	struct xen_pmem_info info;
	struct xen_pmem_diag diag;
	struct reader_layout layout;
};

extern const char * const verdict_names[];

/* Whether the parser may blame @f: of some fields any value is as good. */
bool judge_may_blame(const struct field *f);

/* NULL if all is as it should be, else what is not: one line without its end. */
const char *judge(const struct input *in, struct verdict *v);

/* What was judged, and the verdicts. */
void judge_describe(FILE *to, const struct input *in, const struct verdict *v);

#endif
