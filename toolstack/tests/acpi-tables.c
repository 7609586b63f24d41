// SPDX-License-Identifier: LGPL-2.1-only
/*
 * acpi-tables DIR CAPABILITIES [START SIZE]...: write the ACPI tables that libacpi makes
 * for a PVH guest with this persistent memory, as libxl has it do, to files in DIR: those
 * that the XSDT points to, FACP.aml and so on, numbered if there are more of a name.
 * Fails if the RSDT does not point to the same, or a checksum is wrong.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include LIBACPI_STDUTILS
#include "acpi2_0.h"
#include "libacpi.h"
#include <xen/hvm/hvm_info_table.h>

extern const unsigned char dsdt_pvh[];
extern const unsigned int dsdt_pvh_len;

/* What becomes of it is addressed from BASE on, as in a guest. */
#define BASE		0xfc001000UL
static uint8_t memory[16 * 4096] __attribute__((aligned(4096)));
static size_t used;

static void *alloc(struct acpi_ctxt *ctxt, uint32_t size, uint32_t align)
{
	size_t start = (used + align - 1) / align * align;

	if (start + size > sizeof(memory))
		return NULL;
	used = start + size;
	return memory + start;
}

static unsigned long v2p(struct acpi_ctxt *ctxt, void *v)
{
	return BASE + ((uint8_t *)v - memory);
}

static const void *p2v(unsigned long p)
{
	assert(p >= BASE && p < BASE + sizeof(memory));
	return memory + (p - BASE);
}

static uint32_t lapic_id(unsigned int cpu)
{
	return cpu * 2;
}

static int is_summed(const struct acpi_header *table)
{
	const uint8_t *bytes = (const uint8_t *)table;
	uint8_t sum = 0;
	uint32_t i;

	for (i = 0; i < table->length; i++)
		sum += bytes[i];
	return sum == 0;
}

/* Another table of the same name gets a number. */
static int write_table(const char *dir, const struct acpi_header *table)
{
	char path[4096];
	FILE *file = NULL;
	int i, rc;

	for (i = 0; i < 10 && !file; i++) {
		snprintf(path, sizeof(path), "%s/%.4s%.*d.aml", dir,
			 (const char *)&table->signature, i > 0, i);
		file = fopen(path, "wx");
		if (!file && errno != EEXIST)
			break;
	}
	if (!file) {
		perror(path);
		return 1;
	}
	rc = fwrite(table, table->length, 1, file) != 1;
	return fclose(file) || rc;
}

static int write_all(const char *dir, const struct acpi_20_rsdp *rsdp)
{
	const struct acpi_20_xsdt *xsdt = p2v(rsdp->xsdt_address);
	const struct acpi_20_rsdt *rsdt = p2v(rsdp->rsdt_address);
	size_t i, nr = (xsdt->header.length - sizeof(xsdt->header)) / 8;

	if (!is_summed(&xsdt->header) || !is_summed(&rsdt->header))
		return 1;
	for (i = 0; i < nr; i++) {
		const struct acpi_header *table = p2v(xsdt->entry[i]);

		/* The first is the FADT, of which there are two. */
		if (!is_summed(table) || (i && rsdt->entry[i] != xsdt->entry[i])) {
			fprintf(stderr, "table %zu: bad checksum, or not that of the RSDT\n", i);
			return 1;
		}
		if (write_table(dir, table))
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static struct acpi_20_rsdp rsdp;
	static uint8_t info[4096];
	static struct acpi_pmem ranges[64];
	struct hvm_info_table hvminfo = { .nr_vcpus = 1, .apic_mode = 1 };
	struct acpi_ctxt ctxt = { .mem_ops = { .alloc = alloc, .v2p = v2p } };
	struct acpi_config config = {
		.dsdt_anycpu = dsdt_pvh, .dsdt_anycpu_len = dsdt_pvh_len,
		.dsdt_15cpu = dsdt_pvh, .dsdt_15cpu_len = dsdt_pvh_len,
		.hvminfo = &hvminfo, .lapic_id = lapic_id, .acpi_revision = 5,
		.lapic_base_address = 0xfee00000,
		.rsdp = (unsigned long)&rsdp, .infop = (unsigned long)info,
		.pmem = { .ranges = ranges },
	};
	int i;

	if (argc < 3 || argc % 2 == 0 || argc > 3 + 2 * 64) {
		fprintf(stderr, "usage: acpi-tables DIR CAPABILITIES [START SIZE]...\n");
		return 2;
	}
	config.pmem.capabilities = strtoul(argv[2], NULL, 0);
	for (i = 3; i < argc; i += 2) {
		ranges[config.pmem.nr_ranges].start = strtoull(argv[i], NULL, 0);
		ranges[config.pmem.nr_ranges++].size = strtoull(argv[i + 1], NULL, 0);
	}
	hvminfo.vcpu_online[0] = 1;

	return acpi_build_tables(&ctxt, &config) || write_all(argv[1], &rsdp);
}
