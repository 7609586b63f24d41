// SPDX-License-Identifier: GPL-2.0
/*
 * Regions that have a part in the same group of the frame table: every order of ADD
 * with every order of REMOVE.  The region that came first brought the records of the
 * others, so as long as there are others it cannot go.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "xen_call.h"

#define MAX_REGIONS	3

static struct xenpf_pmem tuples[MAX_REGIONS];
static int nr_regions;
static u64 refused;

struct order {
	int nr;
	int number[MAX_REGIONS];
};

/* The @n-th permutation of the regions. */
static struct order permutation(int n)
{
	struct order left = { .nr = nr_regions }, order = {};
	int i, at;

	for (i = 0; i < nr_regions; i++)
		left.number[i] = i;
	while (left.nr) {
		at = n % left.nr;
		n /= left.nr;
		order.number[order.nr++] = left.number[at];
		left.nr--;
		for (i = at; i < left.nr; i++)
			left.number[i] = left.number[i + 1];
	}

	return order;
}

static void take_out(struct order *order, int number)
{
	int from, to = 0;

	for (from = 0; from < order->nr; from++) {
		if (order->number[from] != number)
			order->number[to++] = order->number[from];
	}
	order->nr = to;
}

static int op(u16 cmd, int number, u64 *bad)
{
	struct xenpf_pmem *pmem = prepare(cmd);
	int rc;

	put_tuple(pmem, &tuples[number]);
	rc = platform_op();
	*bad = pmem->bad_mfn;

	return rc;
}

/* The last page of each can be copied to that of the next, by a grant. */
static int usable(const struct order *present)
{
	int i, status, rc;

	for (i = 0; i < present->nr; i++) {
		const struct xenpf_pmem *a = &tuples[present->number[i]];
		const struct xenpf_pmem *b = &tuples[present->number[(i + 1) % present->nr]];

		rc = copy_frame(a->data_epfn - 1, b->data_epfn - 1, &status);
		if (rc || status)
			return rc ? rc : -EIO;
	}

	return 0;
}

/* Another region than @number, which is still there, begins with @frame. */
static bool is_neighbour(const struct order *present, int number, u64 frame)
{
	int i;

	for (i = 0; i < present->nr; i++) {
		if (present->number[i] != number &&
		    tuples[present->number[i]].spfn == frame)
			return true;
	}

	return false;
}

/* @present is in the order of ADD. Has @number gone, as it had to or not? */
static int take_away(struct order *present, int number, bool *gone)
{
	u64 bad;
	int rc = op(XENPF_PMEM_REMOVE, number, &bad);

	*gone = present->nr == 1 || present->number[0] != number;
	if (*gone) {
		take_out(present, number);
		return rc;
	}
	refused++;
	if (rc == -EBUSY && is_neighbour(present, number, bad))
		return usable(present);
	print_hex("bad_mfn", bad);

	return rc ? rc : -EIO;
}

static int remove_in_order(struct order present, struct order queue)
{
	bool gone;
	int rc;

	while (queue.nr) {
		int number = queue.number[0];

		rc = take_away(&present, number, &gone);
		if (rc)
			return rc;
		take_out(&queue, number);
		/* What was refused is tried again after all others. */
		if (!gone)
			queue.number[queue.nr++] = number;
	}

	return 0;
}

static int one_order(struct order added, struct order removed)
{
	struct xenpf_pmem *pmem;
	int i, rc = 0;
	u64 bad;

	for (i = 0; i < added.nr && !rc; i++)
		rc = op(XENPF_PMEM_ADD, added.number[i], &bad);
	if (!rc)
		rc = usable(&added);
	if (!rc)
		rc = remove_in_order(added, removed);
	if (rc)
		return rc;

	pmem = prepare(XENPF_PMEM_LIST);
	pmem->index = 0;

	return platform_op() == -ENOENT ? 0 : -EEXIST;
}

static void print_order(const char *what, struct order order)
{
	int i;

	printf("%s=", what);
	for (i = 0; i < order.nr; i++)
		putchar('1' + order.number[i]);
	putchar(' ');
}

static int all_orders(void)
{
	int a, r, rc, permutations = nr_regions == 2 ? 2 : 6;

	for (a = 0; a < permutations; a++) {
		for (r = 0; r < permutations; r++) {
			rc = one_order(permutation(a), permutation(r));
			if (!rc)
				continue;
			print_order("added", permutation(a));
			print_order("removed", permutation(r));
			return rc;
		}
	}
	printf("orders=%d refused=%llu ", permutations * permutations, refused);

	return 0;
}

int do_orders(char **words, int nr)
{
	int i;

	if (nr != 12 && nr != 18)
		return bad_usage("orders takes two or three times six frames");
	nr_regions = nr / 6;
	for (i = 0; i < nr_regions; i++) {
		if (parse_tuple(&tuples[i], words + 6 * i, 6))
			return 2;
	}

	return report(all_orders());
}
