# SPDX-License-Identifier: GPL-2.0-only
"""Read KTAP strictly: a plan that is not met, a result that is out of turn or
a document that stops half way is an error, never a pass.

Nested documents are found by the prefix of their version line: spaces (KTAP)
or "# " (what the kselftest runner puts before the output of a test program).
"""
import dataclasses
import re

PREFIX = r"^((?:[ \t]|# )*)"
VERSION = re.compile(PREFIX + r"K?TAP version \d+\s*$")
PLAN = re.compile(PREFIX + r"1\.\.(\d+)\s*(#\s*SKIP.*)?$", re.I)
RESULT = re.compile(PREFIX + r"(not )?ok (\d+)(?:\s+-?\s*(.*))?$")
BAIL = re.compile(PREFIX + r"Bail out!\s*(.*)$")
DIRECTIVE = re.compile(r"(?:^|\s)#\s*(SKIP|TODO|XFAIL|XPASS|TIMEOUT|ERROR|exit)\b.*$", re.I)
WHITE = re.compile(r"\s+")


@dataclasses.dataclass
class Test:
    """One leaf: name is the path from the outermost document down."""
    name: str
    status: str             # "ok", "not ok", "skip" or "xfail"
    note: str = ""


@dataclasses.dataclass
class Document:
    prefix: str
    plan: int | None = None
    count: int = 0
    tests: list = dataclasses.field(default_factory=list)
    errors: list = dataclasses.field(default_factory=list)

    def closed(self):
        if self.plan is None:
            self.errors.append(f"no plan: truncated after {self.count} results")
        elif self.plan != self.count:
            self.errors.append(f"{self.plan} tests planned, {self.count} reported")
        return self


class Parser:
    def __init__(self):
        self.stack = []
        self.orphans = []       # closed children, waiting for their parent's result
        self.errors = []
        self.stray = []         # tests of documents whose parent never reported

    def fold(self, keep):
        """Close the documents deeper than the first `keep` of the stack."""
        while len(self.stack) > keep:
            for child in self.children(self.stack[-1]):
                self.errors.append(f"{child.count} results nested below no result: truncated")
                self.stray += child.tests
            self.orphans.append(self.stack.pop().closed())

    def children(self, document):
        """Take the closed documents that are nested in this one."""
        mine = [o for o in self.orphans if len(o.prefix) > len(document.prefix)]
        self.orphans = [o for o in self.orphans if o not in mine]
        return mine

    def at(self, prefix):
        """The open document of this prefix, those inside it closed."""
        for depth, document in enumerate(self.stack):
            if document.prefix == prefix:
                self.fold(depth + 1)
                return document
        return None

    def version(self, match):
        prefix = match[1]
        shorter = [d for d in self.stack if len(d.prefix) < len(prefix)]
        self.fold(len(shorter))
        if not self.stack and self.orphans:
            self.errors.append("a second outermost document")
        self.stack.append(Document(prefix))

    def plan(self, match):
        document = self.at(match[1])
        if not document:
            return
        if document.plan is not None:
            document.errors.append("two plans")
        document.plan = int(match[2])
        if match[3] and not document.plan:
            document.tests.append(Test("", "skip", match[3].strip("# ")))

    def result(self, match):
        document = self.at(match[1])
        if not document:
            return
        document.count += 1
        if int(match[3]) != document.count:
            document.errors.append(f"result {match[3]} where {document.count} was due")
        test = make_test(bool(match[2]), match[4] or f"test {match[3]}")
        document.tests += merged(test, self.children(document))

    def bail(self, match):
        document = self.at(match[1])
        if document:
            document.errors.append(f"bail out: {match[2]}")

    def feed(self, line):
        for pattern, act in ((VERSION, self.version), (PLAN, self.plan),
                             (RESULT, self.result), (BAIL, self.bail)):
            match = pattern.match(line)
            if match:
                act(match)
                return


def make_test(failed, text):
    found = DIRECTIVE.search(text)
    word = found[1].upper() if found else ""
    name = WHITE.sub(" ", text[:found.start()] if found else text).strip()
    status = "not ok" if failed else "ok"
    if word == "SKIP":
        status = "skip"
    elif word in ("TODO", "XFAIL"):
        status = "xfail"
    elif word in ("TIMEOUT", "ERROR"):
        status = "not ok"
    return Test(name, status, found[0].strip(" #") if found else "")


def failed_line(line):
    """The name of the test that this line says has failed, or ""."""
    match = RESULT.match(line.rstrip("\r\n"))
    if not match:
        return ""
    test = make_test(bool(match[2]), match[4] or f"test {match[3]}")
    return test.name if test.status == "not ok" else ""


def merged(test, children):
    """The leaves of a result and of the documents nested above it."""
    leaves = []
    for child in children:
        leaves += [Test(f"{test.name}/{t.name}".rstrip("/"), t.status, t.note)
                   for t in child.tests]
        leaves += [Test(f"{test.name}/ktap", "not ok", error) for error in child.errors]
    explained = any(leaf.status == "not ok" for leaf in leaves)
    if not leaves or (test.status == "not ok" and not explained):
        leaves.append(test)
    return leaves


def parse(text):
    """Return (tests, errors) of the one outermost document in text."""
    parser = Parser()
    for line in text.splitlines():
        parser.feed(line.rstrip("\r"))
    parser.fold(0)
    if not parser.orphans:
        return [], [*parser.errors, "no 'KTAP version' line"]
    outermost = parser.orphans[-1]
    return outermost.tests + parser.stray, parser.errors + outermost.errors
