# SPDX-License-Identifier: GPL-2.0-only
"""What is made of the figures of make bench: no machine is needed."""
import importlib.machinery
import importlib.util
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent / "vmtest")]

import chart  # noqa: E402
import counts  # noqa: E402
import figures  # noqa: E402
from rig import symbols  # noqa: E402


def script(name):
    loader = importlib.machinery.SourceFileLoader(name, str(HERE / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


report = script("report")


def machine(add=lambda gib: 5000000 + 20000000 * gib, remove=lambda gib: 2000000 * gib,
            query=lambda gib: 900):
    sizes = {gib: {"gib": gib, "add": add(gib), "remove": remove(gib), "query": query(gib),
                   "list": 700, "reserved_frames": 2560 * gib, "xen_pages": 2}
             for gib in (1, 4, 16, 64)}
    return figures.Figures({"dom0_kib": 1024, "handed_over_mib": 65536}, sizes)


def goals(**kwargs):
    return {goal.key: goal for goal in figures.xen_goals(machine(**kwargs), figures.floor(1))}


class Figures(unittest.TestCase):
    def test_lines_are_read(self):
        found = figures.parse("a=1\nb=0x10\ngib=4 add=7 remove=2\ngib=1 add=3 remove=1\n")
        self.assertEqual(found.values, {"a": 1, "b": 16})
        self.assertEqual(found.largest["add"], 7)

    def test_what_is_not_there_is_said(self):
        with self.assertRaisesRegex(figures.Missing, "no figure 'c'"):
            figures.parse("a=1").get("c")
        with self.assertRaisesRegex(figures.Missing, "no region"):
            print(figures.parse("a=1").largest)

    def test_the_floor_is_a_byte_an_instruction(self):
        self.assertEqual(figures.floor(2), 20 << 20)
        self.assertAlmostEqual(figures.by_words(8 + 32, 40), 33 / 5)
        self.assertAlmostEqual(figures.by_words(8 + 4, 40), 1)

    def test_line(self):
        fixed, slope = figures.line_through(machine().sizes, "add")
        self.assertAlmostEqual(fixed, 5e6)
        self.assertAlmostEqual(slope, 2e7)
        self.assertAlmostEqual(figures.off_line(machine().sizes, "add"), 0)


class Goals(unittest.TestCase):
    def test_a_guest_that_stores_slower_misses_the_goal(self):
        found = figures.guest_goals(figures.parse(
            "pmem_load_1m=101\nram_load_1m=100\npmem_store_1m=110\nram_store_1m=100"))
        self.assertEqual([goal.met for goal in found], [True, False])

    def test_a_line_is_met_and_a_square_is_not(self):
        self.assertTrue(goals()["add_line"].met)
        self.assertFalse(goals(add=lambda gib: 1000000 * gib * gib)["add_line"].met)

    def test_floor(self):
        dear, cheap = goals(), goals(add=lambda gib: (10 << 20) * gib)
        self.assertFalse(dear["add_floor"].met)
        self.assertTrue(cheap["add_floor"].met)
        self.assertAlmostEqual(cheap["add_floor"].found, 1)

    def test_remove(self):
        dear = goals(remove=lambda gib: 5000000 * gib)
        for key in "remove_add", "remove_floor":
            self.assertTrue(goals()[key].met)
            self.assertFalse(dear[key].met)

    def test_query_that_grows(self):
        self.assertTrue(goals()["query"].met)
        self.assertFalse(goals(query=lambda gib: 900 + 100 * gib)["query"].met)

    def test_memory(self):
        found = goals()
        self.assertTrue(found["reserved"].met)
        self.assertAlmostEqual(found["reserved"].found, 0)
        self.assertAlmostEqual(found["xen_dram"].found, 2 * 4096 * 16 / (1 << 20))
        self.assertAlmostEqual(figures.memory_goal(machine()).found, 16)

    def test_files(self):
        bare = figures.Figures(dict.fromkeys(figures.OPERATIONS, 1000), {})
        slow = figures.Figures({**bare.values, "fsync_page": 1200, "read_1m": 1030}, {})
        self.assertTrue(figures.dax_goal("pv", slow, bare).met)
        self.assertAlmostEqual(figures.dax_goal("pv", slow, bare).found, 1000 / 1030)
        self.assertFalse(figures.stock_goal(slow, bare).met)
        self.assertFalse(figures.dax_goal("pvh", slow, bare).met)

    def test_a_stretch_of_any_size(self):
        self.assertFalse(figures.stretch_goal({1: 900000, 4: 1100000}).met)


class Counts(unittest.TestCase):
    LOG = ("part 2\nstretch 60 0xffff82d040001008\nblock 0xffff82d040001000 40\n"
           "block 0xffff82d040001010 30\nblock 0xffffffff81000000 30\npart 3\nstretch 5 0x10\n"
           "block 0x10 5\n")
    NAMES = symbols.Symbols(["ffff82d040001000 T memset", "ffff82d040001010 t pmem_map_group",
                             "ffff82d040002000 D data"])

    def test_functions(self):
        parts = counts.parse(self.LOG)
        self.assertEqual(parts[2].functions(self.NAMES),
                         [("Xen: memset", 40), ("Xen: pmem_map_group", 30), ("dom0", 30)])
        linux = symbols.Symbols(["ffffffff81000000 T memremap_pages"])
        self.assertIn(("memremap_pages", 30), parts[2].functions(self.NAMES, linux))
        self.assertEqual((parts[2].stretch, parts[3].total), (60, 5))
        self.assertEqual(counts.instructions_of(parts[2], self.NAMES, "memset"), 40)

    def test_parts_have_the_numbers_of_the_program(self):
        sizes = counts.sizes_of(["bench-dax.sh xen", "bench-xen.sh 1 1 4"])
        self.assertEqual(sizes, [1, 4])
        self.assertEqual([counts.number(index, op) for index in (0, 1)
                          for op in (counts.ADD, counts.REMOVE)], [2, 3, 4, 5])

    def test_where_xen_asks(self):
        decoded = ("pmem-steps.c      767  0xffff82d0402f9f9c        \n"
                   "pmem-steps.c      767  0xffff82d0402fa170               x\n"
                   "pmem-steps.c      768  0xffff82d0402fa1b0               x\n")
        self.assertEqual(symbols.addresses_of(decoded, 767), [0xffff82d0402fa170])
        self.assertEqual(symbols.line_of("a\n if ( b() )\n", "b()"), 2)


class Report(unittest.TestCase):
    def test_the_guard_fails(self):
        good = {goal.key: goal.met for goal in report.guarded(machine(
            add=lambda gib: 5000000 + 5000000 * gib))}
        bad = {goal.key: goal.met for goal in report.guarded(machine(
            add=lambda gib: 30000000 * gib + 10000 * gib * gib * gib,
            remove=lambda gib: 200000000 * gib))}
        self.assertEqual(set(good.values()), {True})
        self.assertEqual(set(bad.values()), {False})

    def test_table(self):
        line = report.goal_table([figures.Goal("a", "this", "that", 0.5, 0.95, least=True)])[-1]
        self.assertEqual(line, "| this | that | 0.500 | at least 0.95 | **no** |")

    def test_change_since_the_run_before(self):
        self.assertEqual(report.changes({"a": 1.0, "b": 2.0, "c": 1.0}, {"a": 1.0, "b": 2.2}),
                         [("b", 0.10000000000000009)])


class Chart(unittest.TestCase):
    def test_a_dot_for_each_size(self):
        points = chart.read("1,1500\n64,60000\n4,4500\n")
        drawn = chart.svg(points)
        self.assertEqual(drawn.count("<circle"), 3)
        self.assertEqual(drawn, chart.svg(points))

    def test_axis(self):
        axis = chart.Axis(1, 64, 2, 0, 600)
        self.assertEqual([axis.at(1), axis.at(8), axis.at(64)], [0, 300, 600])
        self.assertEqual(len(axis.ticks()), 7)

    def test_bad_input(self):
        for text in ("", "1,2\n", "1,2\n2,0\n", "1,2\n3\n"):
            with self.assertRaises(ValueError):
                chart.read(text)


if __name__ == "__main__":
    unittest.main()
