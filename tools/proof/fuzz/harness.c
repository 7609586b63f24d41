// SPDX-License-Identifier: GPL-2.0-only
/*
 * The target of libFuzzer.  An input about which the parser and the reader disagree, or
 * that shows anything else to be wrong, ends the process, and libFuzzer keeps it.
 *
 * FUZZ_COUNTS=FILE: how the inputs spread, written when all of them have passed.
 * FUZZ_SHOW=1: print each input and its verdicts.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "judge.h"
#include "libfuzzer.h"

#define PROGRESS_SECONDS 10
#define FIELDS_MAX 32

static unsigned long long verdicts[READER_ACCEPTED + 1];
/* By the first field that is wrong; the last one is of those without a diagnosis. */
static unsigned long long blamed[FIELDS_MAX];
static const char *counts_file;
static bool show;

static unsigned long long inputs(void)
{
	return verdicts[READER_NOT_OURS] + verdicts[READER_REFUSED] +
	       verdicts[READER_ACCEPTED];
}

static double percent(enum reader_verdict verdict)
{
	unsigned long long all = inputs();

	return all ? 100.0 * verdicts[verdict] / all : 0;
}

static void count(const struct verdict *v)
{
	const struct field *f = v->diag.field ? field_by_name(v->diag.field) : NULL;

	verdicts[v->parser]++;
	blamed[f ? f - fields : FIELDS_MAX - 1]++;
}

static void show_progress(void)
{
	static time_t next;
	time_t now;

	if (inputs() % 4096)
		return;
	now = time(NULL);
	if (!next)
		next = now + PROGRESS_SECONDS;
	if (now < next)
		return;
	next = now + PROGRESS_SECONDS;
	printf("%llu inputs: %.1f %% accepted, %.1f %% refused, %.1f %% not ours\n",
	       inputs(), percent(READER_ACCEPTED), percent(READER_REFUSED),
	       percent(READER_NOT_OURS));
	fflush(stdout);
}

/* Lines "KIND NAME NUMBER". */
static void write_counts(void)
{
	FILE *file = fopen(counts_file, "w");
	const struct field *f;
	int i;

	if (!file) {
		perror(counts_file);
		return;
	}
	for (i = READER_NOT_OURS; i <= READER_ACCEPTED; i++)
		fprintf(file, "verdict\t%s\t%llu\n", verdict_names[i], verdicts[i]);
	for (f = fields; f->name; f++)
		fprintf(file, "%s\t%s\t%llu\n",
			judge_may_blame(f) ? "blamed" : "free", f->name,
			blamed[f - fields]);
	if (fclose(file))
		perror(counts_file);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	show = getenv("FUZZ_SHOW");
	counts_file = getenv("FUZZ_COUNTS");
	if (counts_file)
		atexit(write_counts);
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct verdict v;
	struct input in;
	const char *wrong;

	input_read(&in, data, size);
	wrong = judge(&in, &v);
	count(&v);
	if (wrong || show)
		judge_describe(stderr, &in, &v);
	if (wrong) {
		fprintf(stderr, "input %llu: %s\n", inputs(), wrong);
		abort();
	}
	show_progress();
	return 0;
}
