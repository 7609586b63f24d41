/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of QEMU's interface for plugins, version 4 (QEMU 9.2 to 10.0), that
 * medium-log and count use. Debian has no package with the header.
 */

#ifndef VMTEST_QEMU_H
#define VMTEST_QEMU_H

#include <stddef.h>
#include <stdint.h>

#define QEMU_PLUGIN_VERSION	4

enum qemu_plugin_cb_flags {
	QEMU_PLUGIN_CB_NO_REGS,
	QEMU_PLUGIN_CB_R_REGS,
};

enum qemu_plugin_mem_rw {
	QEMU_PLUGIN_MEM_W = 2,
};

enum qemu_plugin_op {
	QEMU_PLUGIN_INLINE_ADD_U64,
};

struct qemu_info;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_hwaddr;
struct qemu_plugin_register;
struct qemu_plugin_scoreboard;

/* A word of each virtual CPU's. */
struct qemu_plugin_word {
	struct qemu_plugin_scoreboard *score;
	size_t offset;
};

/* What GLib shows of its GArray and GByteArray. */
struct garray {
	char *data;
	unsigned int len;
};

struct qemu_plugin_reg_descriptor {
	struct qemu_plugin_register *handle;
	const char *name;
	const char *feature;
};

typedef void (*qemu_plugin_tb_cb)(uint64_t id, struct qemu_plugin_tb *tb);
typedef void (*qemu_plugin_vcpu_cb)(uint64_t id, unsigned int vcpu);
typedef void (*qemu_plugin_exec_cb)(unsigned int vcpu, void *data);
typedef void (*qemu_plugin_mem_cb)(unsigned int vcpu, uint32_t info,
				   uint64_t virt, void *data);
typedef void (*qemu_plugin_exit_cb)(uint64_t id, void *data);

void qemu_plugin_register_vcpu_init_cb(uint64_t id, qemu_plugin_vcpu_cb cb);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, qemu_plugin_tb_cb cb);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
					  qemu_plugin_exec_cb cb,
					  enum qemu_plugin_cb_flags flags,
					  void *data);
void qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(struct qemu_plugin_tb *tb,
						       enum qemu_plugin_op op,
						       struct qemu_plugin_word word,
						       uint64_t value);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    qemu_plugin_exec_cb cb,
					    enum qemu_plugin_cb_flags flags,
					    void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
				      qemu_plugin_mem_cb cb,
				      enum qemu_plugin_cb_flags flags,
				      enum qemu_plugin_mem_rw rw, void *data);
void qemu_plugin_register_atexit_cb(uint64_t id, qemu_plugin_exit_cb cb,
				    void *data);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb,
						 size_t index);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *to,
			     size_t size);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

unsigned int qemu_plugin_mem_size_shift(uint32_t info);
struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(uint32_t info, uint64_t virt);
uint64_t qemu_plugin_hwaddr_phys_addr(const struct qemu_plugin_hwaddr *hwaddr);

struct qemu_plugin_scoreboard *qemu_plugin_scoreboard_new(size_t bytes);
void *qemu_plugin_scoreboard_find(struct qemu_plugin_scoreboard *score,
				  unsigned int vcpu);

struct garray *qemu_plugin_get_registers(void);
int qemu_plugin_read_register(struct qemu_plugin_register *handle,
			      struct garray *bytes);

/* What QEMU calls, of the plugin's. */
int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc,
			char **argv);

struct garray *g_byte_array_new(void);
struct garray *g_byte_array_set_size(struct garray *array, unsigned int size);

#endif
