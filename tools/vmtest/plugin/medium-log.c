// SPDX-License-Identifier: GPL-2.0-only
/*
 * medium-log: a plugin of QEMU (TCG) that writes down, in order, everything that
 * changes a byte of an NVDIMM: stores of any software, which it sees, and what the
 * device model writes to the label area, which it finds by comparing. Beside them
 * what makes stores durable: flushes of cache lines, and fences. It can end QEMU,
 * as a power cut would, after any of the changes.
 *
 *	-plugin medium-log.so,log=FILE[,dimm=ADDRESS:BYTES:PATH]...[,kill=MARK:COUNT]
 *
 * ADDRESS is the physical address of the first byte of PATH, BYTES the length of what
 * can be addressed; what is behind that are the labels. A guest sets mark N by
 * writing the byte N to I/O port 0xe9. One virtual CPU only.
 *
 * Stores of one size to ascending addresses share a record, as long as nothing else
 * comes between. Of the megabytes of records that Xen makes the log has pages: the
 * order of stores within one, and between the last few, is not kept. COUNT counts
 * stores, also those.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "qemu.h"

#define MARK_PORT	0xe9
#define DSM_PORT	0xa18		/* QEMU's docs/specs/acpi_nvdimm.rst */
#define MAX_DIMMS	8
#define PAGE		4096
#define PAGES_SEEN	4096
#define MAX_RUN		4096
#define BULK_PAGES	16
/* Xen's part of the virtual address space, below that of a PV domain. */
#define XEN_START	0xffff800000000000ULL
#define XEN_SIZE	0x080000000000ULL

/* Like rig/medialog.py reads it. */
struct record {
	uint8_t kind;
	uint8_t unit;			/* bytes of one store */
	uint16_t dimm;
	uint32_t bytes;			/* new contents, that follow this record */
	uint64_t at;			/* offset in the file, or a mark's number */
	uint64_t virt;
	uint64_t count;			/* changes since the last mark, with this one */
};

enum kind {
	STORE = 'S',			/* cached */
	STORE_NT = 'N',			/* not temporal: past the cache */
	FLUSH = 'F',			/* clflush, clflushopt, clwb of the line at virt */
	FLUSH_ALL = 'W',		/* wbinvd */
	FENCE = 'B',			/* sfence, mfence */
	BULK = 'X',			/* a page, after stores of Xen's */
	LABELS = 'L',
	MARK = 'M',
};

struct dimm {
	uint64_t start, size;
	size_t file_size;
	const uint8_t *medium;		/* the file, mapped */
	uint8_t *known;			/* what the log says that it holds */
};

struct page {
	unsigned int dimm;
	uint64_t at;
};

/* [base + index * scale + disp]; -1: no such register */
struct operand {
	int base, index, scale;
	int64_t disp;
};

static const char *const reg_names[16] = {
	"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
	"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
};

int qemu_plugin_version = QEMU_PLUGIN_VERSION;

static struct dimm dimms[MAX_DIMMS];
static unsigned int dimm_count;
static struct qemu_plugin_register *regs[16];
static struct garray *reg_bytes;
static uint64_t pages_seen[PAGES_SEEN];
static uint8_t buffer[1 << 20];
static size_t buffered;
static int log_fd = -1;
static struct record run;
static uint8_t run_bytes[MAX_RUN];
static struct page bulk[BULK_PAGES];
static unsigned int bulk_count;
static bool labels_due, fence_due;
static long kill_mark = -1, kill_count;
static bool counting;
static uint64_t changes;

static void die(const char *what)
{
	fprintf(stderr, "medium-log: %s\n", what);
	exit(1);
}

static void write_out(void)
{
	size_t done = 0;

	while (done < buffered) {
		ssize_t n = write(log_fd, buffer + done, buffered - done);

		if (n <= 0)
			die("cannot write to the log: is the disk full?");
		done += n;
	}
	buffered = 0;
}

static void put(const struct record *record, const void *bytes)
{
	size_t size = sizeof(*record) + record->bytes;

	if (buffered + size > sizeof(buffer))
		write_out();
	if (size > sizeof(buffer))
		die("a record is larger than the buffer: use a smaller label area");
	memcpy(buffer + buffered, record, sizeof(*record));
	if (bytes)
		memcpy(buffer + buffered + sizeof(*record), bytes, record->bytes);
	buffered += size;
}

/* --- what is not yet in the log --------------------------------------------- */

static void end_run(void)
{
	if (run.bytes)
		put(&run, run_bytes);
	run.bytes = 0;
}

static void end_page(const struct page *page)
{
	struct record record = { .kind = BULK, .unit = 8, .dimm = page->dimm,
				 .bytes = PAGE, .at = page->at,
				 .count = changes };

	put(&record, dimms[page->dimm].known + page->at);
}

static void end_bulk(void)
{
	unsigned int i;

	for (i = 0; i < bulk_count; i++)
		end_page(&bulk[i]);
	bulk_count = 0;
}

static void put_in_order(const struct record *record, const void *bytes)
{
	end_bulk();
	end_run();
	put(record, bytes);
}

static void end_all(void)
{
	end_bulk();
	end_run();
	write_out();
}

/* The medium has changed: is it the change to be killed at? */
static void count_change(void)
{
	if (!counting || changes < (uint64_t)kill_count)
		return;
	end_all();
	kill(getpid(), SIGKILL);
	pause();
}

/* --- labels ---------------------------------------------------------------- */

static void check_labels_of(unsigned int index)
{
	struct dimm *dimm = &dimms[index];
	size_t first = dimm->size, end = dimm->file_size;
	struct record record = { .kind = LABELS, .unit = 1, .dimm = index };

	if (!memcmp(dimm->known + first, dimm->medium + first, end - first))
		return;
	while (dimm->known[first] == dimm->medium[first])
		first++;
	while (dimm->known[end - 1] == dimm->medium[end - 1])
		end--;
	record.at = first;
	record.bytes = end - first;
	record.count = ++changes;
	memcpy(dimm->known + first, dimm->medium + first, end - first);
	put_in_order(&record, dimm->known + first);
	count_change();
}

/* The device model has worked between the last write to its port and now. */
static void check_labels(void)
{
	unsigned int i;

	if (!labels_due)
		return;
	labels_due = false;
	for (i = 0; i < dimm_count; i++)
		check_labels_of(i);
}

/* --- stores ---------------------------------------------------------------- */

static struct dimm *dimm_at(uint64_t phys)
{
	unsigned int i;

	for (i = 0; i < dimm_count; i++)
		if (phys - dimms[i].start < dimms[i].size)
			return &dimms[i];
	return NULL;
}

/* Several pages are kept back, as tables are filled side by side. */
static void add_bulk(unsigned int dimm, uint64_t at)
{
	unsigned int i;

	end_run();
	at -= at % PAGE;
	for (i = 0; i < bulk_count; i++)
		if (bulk[i].at == at && bulk[i].dimm == dimm)
			return;
	if (bulk_count == BULK_PAGES) {
		end_page(&bulk[0]);
		memmove(bulk, bulk + 1, sizeof(bulk) - sizeof(bulk[0]));
		bulk_count--;
	}
	bulk[bulk_count++] = (struct page) { .dimm = dimm, .at = at };
}

static void add_store(const struct record *store, const uint8_t *bytes)
{
	end_bulk();
	if (run.kind != store->kind || run.unit != store->unit ||
	    run.dimm != store->dimm || run.at + run.bytes != store->at ||
	    run.virt + run.bytes != store->virt ||
	    run.bytes + store->bytes > MAX_RUN)
		end_run();
	if (!run.bytes) {
		run = *store;
		run.bytes = 0;
	}
	memcpy(run_bytes + run.bytes, bytes, store->bytes);
	run.bytes += store->bytes;
	run.count = changes;
}

static void log_store(struct dimm *dimm, uint64_t at, unsigned int bytes,
		      uint64_t virt, enum kind kind)
{
	struct record store = { .kind = kind, .unit = bytes, .bytes = bytes,
				.dimm = dimm - dimms, .at = at, .virt = virt };

	if (at + bytes > dimm->size)
		store.bytes = dimm->size - at;
	pages_seen[virt / PAGE % PAGES_SEEN] = virt / PAGE;
	fence_due = true;
	if (!memcmp(dimm->known + at, dimm->medium + at, store.bytes))
		return;
	memcpy(dimm->known + at, dimm->medium + at, store.bytes);
	changes++;
	if (virt - XEN_START < XEN_SIZE)
		add_bulk(store.dimm, at);
	else
		add_store(&store, dimm->known + at);
	count_change();
}

static void on_store(unsigned int vcpu, uint32_t info, uint64_t virt, void *kind)
{
	struct qemu_plugin_hwaddr *hwaddr = qemu_plugin_get_hwaddr(info, virt);
	uint64_t phys = hwaddr ? qemu_plugin_hwaddr_phys_addr(hwaddr) : 0;
	struct dimm *dimm = dimm_at(phys);

	(void)vcpu;
	if (!dimm)
		return;
	check_labels();
	log_store(dimm, phys - dimm->start,
		  1U << qemu_plugin_mem_size_shift(info), virt,
		  (enum kind)(uintptr_t)kind);
}

/* --- other instructions ---------------------------------------------------- */

static uint64_t reg(int index)
{
	uint64_t value = 0;

	if (index < 0)
		return 0;
	g_byte_array_set_size(reg_bytes, 0);
	if (!regs[index] || qemu_plugin_read_register(regs[index], reg_bytes) < 8)
		die("QEMU does not tell a register: is it another version?");
	memcpy(&value, reg_bytes->data, sizeof(value));
	return value;
}

static void on_flush(unsigned int vcpu, void *data)
{
	const struct operand *operand = data;
	struct record record = { .kind = FLUSH };

	(void)vcpu;
	record.virt = reg(operand->base) + operand->disp +
		      reg(operand->index) * operand->scale;
	if (pages_seen[record.virt / PAGE % PAGES_SEEN] == record.virt / PAGE)
		put_in_order(&record, NULL);
}

static void on_fence(unsigned int vcpu, void *kind)
{
	struct record record = { .kind = (uintptr_t)kind };

	(void)vcpu;
	if (fence_due)
		put_in_order(&record, NULL);
	fence_due = false;
}

static void on_out_byte(unsigned int vcpu, void *data)
{
	struct record record = { .kind = MARK };

	(void)vcpu;
	(void)data;
	if ((reg(2) & 0xffff) != MARK_PORT)
		return;
	check_labels();
	record.at = reg(0) & 0xff;
	put_in_order(&record, NULL);
	changes = 0;
	write_out();
	counting = (long)record.at == kill_mark;
}

static void on_out_long(unsigned int vcpu, void *data)
{
	(void)vcpu;
	(void)data;
	check_labels();
	labels_due = (reg(2) & 0xffff) == DSM_PORT;
}

/* --- translation ------------------------------------------------------------ */

struct code {
	const uint8_t *next;
	bool size16;
	unsigned int rex;
};

static void skip_prefixes(struct code *code)
{
	for (;; code->next++) {
		uint8_t byte = *code->next;

		if (byte == 0x66)
			code->size16 = true;
		else if (byte != 0xf0 && byte != 0xf2 && byte != 0xf3 &&
			 (byte & 0xe7) != 0x26 && (byte & 0xfe) != 0x64)
			break;
	}
	if ((*code->next & 0xf0) == 0x40)
		code->rex = *code->next++;
}

static int32_t displacement(const uint8_t *at, int bytes)
{
	int32_t value = 0;

	memcpy(&value, at, bytes);
	return bytes == 1 ? (int8_t)value : value;
}

/* The operand of 64-bit code whose ModRM byte is the next one. */
static struct operand *decode(const struct code *code, uint64_t end)
{
	struct operand *operand = calloc(1, sizeof(*operand));
	const uint8_t *at = code->next;
	int mod = *at >> 6, rm = *at & 7;

	if (!operand)
		die("out of memory");
	operand->index = -1;
	operand->base = rm + (code->rex & 1) * 8;
	at++;
	if (rm == 4) {
		operand->scale = 1 << (*at >> 6);
		operand->index = (*at >> 3 & 7) + (code->rex >> 1 & 1) * 8;
		rm = *at++ & 7;
		operand->base = rm + (code->rex & 1) * 8;
		if (operand->index == 4)
			operand->index = -1;
	} else if (rm == 5 && !mod) {
		operand->disp = end;
	}
	if (rm == 5 && !mod) {
		operand->base = -1;
		mod = 2;
	}
	if (mod)
		operand->disp += displacement(at, mod == 1 ? 1 : 4);
	return operand;
}

static void watch_group15(struct qemu_plugin_insn *insn, struct code *code)
{
	int modrm = *code->next, reg = modrm >> 3 & 7;
	uint64_t end = qemu_plugin_insn_vaddr(insn) + qemu_plugin_insn_size(insn);

	if (modrm >> 6 == 3 && reg >= 6)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_fence,
						       QEMU_PLUGIN_CB_NO_REGS,
						       (void *)FENCE);
	else if (modrm >> 6 != 3 && (reg == 7 || (reg == 6 && code->size16)))
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_flush,
						       QEMU_PLUGIN_CB_R_REGS,
						       decode(code, end));
}

static bool is_non_temporal(const uint8_t *opcode)
{
	return opcode[0] == 0x0f && (opcode[1] == 0xc3 || opcode[1] == 0xe7 ||
				     opcode[1] == 0x2b);
}

static void watch(struct qemu_plugin_insn *insn)
{
	uint8_t bytes[16] = {};
	struct code code = { .next = bytes };
	enum kind kind;

	qemu_plugin_insn_data(insn, bytes, sizeof(bytes) - 1);
	skip_prefixes(&code);
	kind = is_non_temporal(code.next) ? STORE_NT : STORE;
	qemu_plugin_register_vcpu_mem_cb(insn, on_store, QEMU_PLUGIN_CB_NO_REGS,
					 QEMU_PLUGIN_MEM_W, (void *)kind);
	if (*code.next == 0xee)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_out_byte,
						       QEMU_PLUGIN_CB_R_REGS, NULL);
	if (*code.next == 0xef)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_out_long,
						       QEMU_PLUGIN_CB_R_REGS, NULL);
	if (*code.next++ != 0x0f)
		return;
	if (*code.next == 0x09)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_fence,
						       QEMU_PLUGIN_CB_NO_REGS,
						       (void *)FLUSH_ALL);
	if (*code.next++ == 0xae)
		watch_group15(insn, &code);
}

static void on_translation(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t i;

	(void)id;
	for (i = 0; i < qemu_plugin_tb_n_insns(tb); i++)
		watch(qemu_plugin_tb_get_insn(tb, i));
}

/* --- begin and end ---------------------------------------------------------- */

static void on_vcpu(uint64_t id, unsigned int vcpu)
{
	struct garray *found = qemu_plugin_get_registers();
	struct qemu_plugin_reg_descriptor *list = (void *)found->data;
	unsigned int i, j;

	(void)id;
	if (vcpu)
		die("more than one virtual CPU: give QEMU -smp 1");
	for (i = 0; i < found->len; i++)
		for (j = 0; j < 16; j++)
			if (!strcmp(list[i].name, reg_names[j]))
				regs[j] = list[i].handle;
	reg_bytes = g_byte_array_new();
}

static void on_exit_of_qemu(uint64_t id, void *data)
{
	(void)id;
	(void)data;
	labels_due = true;
	check_labels();
	end_all();
}

/* ADDRESS:BYTES:PATH */
static void add_dimm(const char *text)
{
	struct dimm *dimm = &dimms[dimm_count++];
	struct stat status;
	char *rest;
	int fd;

	if (dimm_count > MAX_DIMMS)
		die("too many dimm=: 8 are possible");
	dimm->start = strtoull(text, &rest, 0);
	dimm->size = *rest ? strtoull(rest + 1, &rest, 0) : 0;
	fd = *rest ? open(rest + 1, O_RDONLY) : -1;
	if (fd < 0 || fstat(fd, &status) || (uint64_t)status.st_size < dimm->size)
		die("dimm=: expected ADDRESS:BYTES:PATH of a file of at least BYTES");
	dimm->file_size = status.st_size;
	dimm->medium = mmap(NULL, dimm->file_size, PROT_READ, MAP_SHARED, fd, 0);
	dimm->known = malloc(dimm->file_size);
	if (dimm->medium == MAP_FAILED || !dimm->known)
		die("dimm=: cannot map it");
	memcpy(dimm->known, dimm->medium, dimm->file_size);
	close(fd);
}

static void argument(const char *text)
{
	char *rest;

	if (!strncmp(text, "dimm=", 5)) {
		add_dimm(text + 5);
	} else if (!strncmp(text, "log=", 4)) {
		log_fd = open(text + 4, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	} else if (!strncmp(text, "kill=", 5)) {
		kill_mark = strtol(text + 5, &rest, 0);
		kill_count = *rest ? strtol(rest + 1, NULL, 0) : 0;
	} else {
		die("arguments are log=, dimm= and kill=");
	}
}

int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc,
			char **argv)
{
	int i;

	(void)info;
	for (i = 0; i < argc; i++)
		argument(argv[i]);
	if (log_fd < 0)
		die("log=FILE: cannot be written");
	qemu_plugin_register_vcpu_init_cb(id, on_vcpu);
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
	qemu_plugin_register_atexit_cb(id, on_exit_of_qemu, NULL);
	return 0;
}
