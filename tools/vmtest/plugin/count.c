// SPDX-License-Identifier: GPL-2.0-only
/*
 * count: a plugin of QEMU (TCG) that counts instructions, by the block of code they
 * are in, and finds the longest stretch of Xen's in which nothing else can run.
 *
 *	-plugin count.so,log=FILE[,check=ADDRESS]...
 *
 * A guest begins a part by writing its number, 1 to 255, to I/O port 0xe9, and ends
 * it by writing 0. At the end of a part FILE gets
 *
 *	part NUMBER
 *	stretch INSTRUCTIONS ADDRESS
 *	block ADDRESS INSTRUCTIONS
 *
 * with a line for each block that was run. A stretch lasts from when Xen is entered to
 * when it is left, and ends also at each ADDRESS, where Xen asks if something else is to
 * run. The longest one and its last block are told. Interrupts that Xen takes meanwhile
 * are part of it. A block is counted as a whole, also when an exception ends it. One
 * virtual CPU only.
 */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu.h"

#define MARK_PORT	0xe9
#define MAX_CHECKS	16
#define BUCKETS		65536
#define BOARD_WORDS	65536
#define MAX_BOARDS	64
/* Xen's part of the virtual address space, below that of a PV domain. */
#define XEN_START	0xffff800000000000ULL
#define XEN_SIZE	0x080000000000ULL

/* Code from @address on that is run as one, and what it counts in. */
struct block {
	struct block *next;
	uint64_t address;
	uint64_t insns;
	struct qemu_plugin_word word;
};

struct stretch {
	uint64_t insns;
	uint64_t end;
};

int qemu_plugin_version = QEMU_PLUGIN_VERSION;

static struct block *blocks[BUCKETS];
static struct qemu_plugin_scoreboard *boards[MAX_BOARDS];
static unsigned int words;
static struct qemu_plugin_word outside;	/* instructions that are not Xen's */
static uint64_t outside_before;
static uint64_t checks[MAX_CHECKS];
static unsigned int check_count;
static struct qemu_plugin_register *rax, *rdx;
static struct garray *reg_bytes;
static FILE *out;
static struct stretch now, longest;
static unsigned int part;

static void die(const char *what)
{
	fprintf(stderr, "count: %s\n", what);
	exit(1);
}

static bool is_xen(uint64_t address)
{
	return address - XEN_START < XEN_SIZE;
}

/* Words are QEMU's, so that its code can count without a call. */
static struct qemu_plugin_word new_word(void)
{
	unsigned int board = words / BOARD_WORDS;
	struct qemu_plugin_word word;

	if (board == MAX_BOARDS)
		die("too many blocks of code");
	if (!boards[board])
		boards[board] = qemu_plugin_scoreboard_new(BOARD_WORDS * sizeof(uint64_t));
	word.score = boards[board];
	word.offset = words++ % BOARD_WORDS * sizeof(uint64_t);

	return word;
}

static uint64_t *value_of(const struct qemu_plugin_word *word)
{
	char *first = qemu_plugin_scoreboard_find(word->score, 0);

	return (uint64_t *)(first + word->offset);
}

/* Of one size: code that was translated again, shorter, is another block. */
static struct block *block_at(uint64_t address, uint64_t insns)
{
	struct block **bucket = &blocks[(address >> 2) % BUCKETS], *block;

	for (block = *bucket; block; block = block->next)
		if (block->address == address && block->insns == insns)
			return block;
	block = calloc(1, sizeof(*block));
	if (!block)
		die("out of memory");
	block->address = address;
	block->insns = insns;
	block->word = new_word();
	block->next = *bucket;
	*bucket = block;

	return block;
}

static void end_stretch(void)
{
	if (now.insns > longest.insns)
		longest = now;
	now.insns = 0;
}

/* Of Xen's. What came between was not, so Xen was left. */
static void on_block(unsigned int vcpu, void *data)
{
	const struct block *block = data;

	(void)vcpu;
	if (!part)
		return;
	if (*value_of(&outside) != outside_before) {
		outside_before = *value_of(&outside);
		end_stretch();
	}
	now.insns += block->insns;
	now.end = block->address;
}

static void on_check(unsigned int vcpu, void *data)
{
	(void)vcpu;
	(void)data;
	if (part)
		end_stretch();
}

/* --- parts ------------------------------------------------------------------ */

static void for_blocks(void (*fn)(struct block *block))
{
	struct block *block;
	unsigned int i;

	for (i = 0; i < BUCKETS; i++)
		for (block = blocks[i]; block; block = block->next)
			fn(block);
}

static void forget(struct block *block)
{
	*value_of(&block->word) = 0;
}

static void tell(struct block *block)
{
	uint64_t count = *value_of(&block->word);

	if (count)
		fprintf(out, "block %#llx %llu\n",
			(unsigned long long)block->address,
			(unsigned long long)count);
}

static void end_part(void)
{
	if (!part)
		return;
	end_stretch();
	fprintf(out, "part %u\nstretch %llu %#llx\n", part,
		(unsigned long long)longest.insns, (unsigned long long)longest.end);
	for_blocks(tell);
	fflush(out);
}

static void begin_part(unsigned int number)
{
	end_part();
	for_blocks(forget);
	memset(&now, 0, sizeof(now));
	memset(&longest, 0, sizeof(longest));
	outside_before = *value_of(&outside);
	part = number;
}

static uint64_t reg(struct qemu_plugin_register *handle)
{
	uint64_t value = 0;

	g_byte_array_set_size(reg_bytes, 0);
	if (!handle || qemu_plugin_read_register(handle, reg_bytes) < 8)
		die("QEMU does not tell a register: is it another version?");
	memcpy(&value, reg_bytes->data, sizeof(value));

	return value;
}

static void on_out_byte(unsigned int vcpu, void *data)
{
	(void)vcpu;
	(void)data;
	if ((reg(rdx) & 0xffff) == MARK_PORT)
		begin_part(reg(rax) & 0xff);
}

/* --- translation ------------------------------------------------------------ */

static bool is_out_byte(struct qemu_plugin_insn *insn)
{
	uint8_t byte = 0;

	return qemu_plugin_insn_size(insn) == 1 &&
	       qemu_plugin_insn_data(insn, &byte, 1) == 1 && byte == 0xee;
}

static void watch(struct qemu_plugin_insn *insn)
{
	uint64_t address = qemu_plugin_insn_vaddr(insn);
	unsigned int i;

	for (i = 0; i < check_count; i++)
		if (address == checks[i])
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_check,
							       QEMU_PLUGIN_CB_NO_REGS,
							       (void *)(uintptr_t)address);
	if (is_out_byte(insn))
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_out_byte,
						       QEMU_PLUGIN_CB_R_REGS, NULL);
}

static void count(struct qemu_plugin_tb *tb, struct block *block)
{
	qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(tb, QEMU_PLUGIN_INLINE_ADD_U64,
							  block->word, block->insns);
	if (is_xen(block->address))
		qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block,
						     QEMU_PLUGIN_CB_NO_REGS, block);
	else
		qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(tb,
								  QEMU_PLUGIN_INLINE_ADD_U64,
								  outside, block->insns);
}

static void on_translation(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t i, nr = qemu_plugin_tb_n_insns(tb);
	uint64_t first = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0));

	(void)id;
	count(tb, block_at(first, nr));
	for (i = 0; i < nr; i++)
		watch(qemu_plugin_tb_get_insn(tb, i));
}

/* --- begin and end ---------------------------------------------------------- */

static void on_vcpu(uint64_t id, unsigned int vcpu)
{
	struct garray *found = qemu_plugin_get_registers();
	struct qemu_plugin_reg_descriptor *list = (void *)found->data;
	unsigned int i;

	(void)id;
	if (vcpu)
		die("more than one virtual CPU: give QEMU -smp 1");
	for (i = 0; i < found->len; i++) {
		if (!strcmp(list[i].name, "rax"))
			rax = list[i].handle;
		if (!strcmp(list[i].name, "rdx"))
			rdx = list[i].handle;
	}
	reg_bytes = g_byte_array_new();
}

static void on_exit_of_qemu(uint64_t id, void *data)
{
	(void)id;
	(void)data;
	end_part();
}

static void argument(const char *text)
{
	if (!strncmp(text, "log=", 4)) {
		out = fopen(text + 4, "w");
	} else if (!strncmp(text, "check=", 6)) {
		if (check_count == MAX_CHECKS)
			die("too many check=: 16 are possible");
		checks[check_count++] = strtoull(text + 6, NULL, 0);
	} else {
		die("arguments are log= and check=");
	}
}

int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc,
			char **argv)
{
	int i;

	(void)info;
	for (i = 0; i < argc; i++)
		argument(argv[i]);
	if (!out)
		die("log=FILE: cannot be written");
	outside = new_word();
	qemu_plugin_register_vcpu_init_cb(id, on_vcpu);
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
	qemu_plugin_register_atexit_cb(id, on_exit_of_qemu, NULL);
	return 0;
}
