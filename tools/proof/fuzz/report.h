/* SPDX-License-Identifier: GPL-2.0-only */
/* What exhaustive and claims share: count verdicts, and keep what fails. */
#ifndef FUZZ_REPORT_H
#define FUZZ_REPORT_H

#include "judge.h"

struct tally {
	unsigned long long inputs;
	unsigned long long by[READER_ACCEPTED + 1];
};

/* Judges @in, counts it, and keeps it if something is wrong. */
enum reader_verdict report_judge(const struct input *in, struct tally *tally);
/* For what the caller found to be wrong itself. */
void report_wrong(const struct input *in, const char *wrong);
/* A line "NAME, WHAT, inputs, accepted, refused, not ours", with tabs in between. */
void report_row(const char *name, const char *what, const struct tally *tally);
/* The exit status: not 0 if something was wrong. */
int report_end(void);

#endif
