// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts verdicts, and keeps what fails: FUZZ_KEEP is what the names of the files begin
 * with.
 */

#include <stdio.h>
#include <stdlib.h>
#include <sanitizer/common_interface_defs.h>

#include "report.h"

#define KEEP_MAX 10

static unsigned long long wrong_ones;
static const struct input *judged;

static void keep(const struct input *in)
{
	const char *prefix = getenv("FUZZ_KEEP");
	char path[1024];

	if (!prefix)
		return;
	snprintf(path, sizeof(path), "%s%llu", prefix, wrong_ones);
	if (input_save(in, path))
		fprintf(stderr, "kept in %s\n", path);
	else
		perror(path);
}

/* A sanitizer ends the process. */
static void keep_last(void)
{
	wrong_ones++;
	keep(judged);
}

void report_wrong(const struct input *in, const char *wrong)
{
	if (wrong_ones++ >= KEEP_MAX)
		return;
	fprintf(stderr, "%s\n", wrong);
	keep(in);
}

enum reader_verdict report_judge(const struct input *in, struct tally *tally)
{
	struct verdict v;
	const char *wrong;

	if (!judged)
		__sanitizer_set_death_callback(keep_last);
	judged = in;
	wrong = judge(in, &v);

	tally->inputs++;
	tally->by[v.parser]++;
	if (wrong)
		report_wrong(in, wrong);
	return v.parser;
}

void report_row(const char *name, const char *what, const struct tally *tally)
{
	printf("%s\t%s\t%llu\t%llu\t%llu\t%llu\n", name, what, tally->inputs,
	       tally->by[READER_ACCEPTED], tally->by[READER_REFUSED],
	       tally->by[READER_NOT_OURS]);
	fflush(stdout);
}

int report_end(void)
{
	if (wrong_ones)
		fprintf(stderr, "%llu inputs show something wrong\n", wrong_ones);
	return wrong_ones ? 1 : 0;
}
