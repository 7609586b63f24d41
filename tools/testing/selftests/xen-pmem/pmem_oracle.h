/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What XENPF_pmem has to answer, worked out from the text of the interface alone.
 */
#ifndef PMEM_ORACLE_H
#define PMEM_ORACLE_H

#include "xen_call.h"

/* Outcomes are bits, numbered as in oracle_errors[]. */
enum {
	OUT_OK, OUT_EINVAL, OUT_ERANGE, OUT_EOPNOTSUPP, OUT_EEXIST, OUT_EBUSY,
	OUT_ENODEV, OUT_ENOSPC, OUT_ENOENT, OUT_ESRCH, OUT_EACCES, OUT_NO_OP,
	OUT_OTHER,
	NR_OUTCOMES
};

extern const int oracle_errors[NR_OUTCOMES];

struct range {
	u64 s;
	u64 e;
};

/* The six numbers, in the order of the interface. */
struct tuple {
	struct range all;
	struct range rsv;
	struct range data;
};

/*
 * If @must is not 0, one of its outcomes or of @may is due.  If it is, the call
 * may succeed or have an outcome of @may.
 */
struct verdict {
	u32 must;
	u32 may;
};

/* The machine: what the firmware says, and [s, e) that is the fuzzer's own. */
int oracle_init(u64 s, u64 e);

struct verdict oracle_predict(const struct platform_op *op);

/*
 * Is the answer @rc, with all that was set in @out, one that the text allows for
 * @in?  If not, says in @why what was expected instead.
 */
bool oracle_allows(const struct platform_op *in, const struct platform_op *out,
		   int rc, const char **why);

/* The model of what is registered. */
extern struct tuple oracle_regions[];
extern bool oracle_claims[];
extern unsigned int oracle_nr;
#define ORACLE_MAX	6

void oracle_added(const struct tuple *t);
void oracle_removed(const struct tuple *t);
void oracle_claimed(const struct tuple *t, bool claimed);
bool oracle_is_region(const struct tuple *t);
bool oracle_is_claimed(const struct tuple *t);

bool oracle_is_own(const struct tuple *t);
struct tuple oracle_tuple(const struct xenpf_pmem *pmem);
unsigned int oracle_outcome(int rc);

#endif /* PMEM_ORACLE_H */
